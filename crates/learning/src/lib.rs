//! What hospitals learn together: shape features of outlines, federated logistic regression, secure aggregation, evaluation.
//!
//! Pure and seeded: no I/O, no async, no clock and no source of randomness of its own; every secret is passed in. The way
//! of one analysis through this crate:
//!
//! 1. a node reads outlines ([`reading`]), computes shape features and groups them to nodules ([`shape`], [`nodule`]);
//! 2. it answers a round with sums only: [`logistic::Moments`], then [`logistic::NewtonSums`] per round, then
//!    [`evaluation::ScoreHistogram`];
//! 3. the sums leave masked ([`secagg::contribute`]), so that the hub learns only their total ([`secagg::aggregate`]);
//! 4. the hub moves the coefficients on ([`logistic::Solver`]) and asks again until they stand still.
//!
//! What is absent on purpose: permits and the airlock (the node decides whether it answers at all), messages and their
//! signatures (protocol), and differential privacy.

pub mod evaluation;
pub mod fixed;
mod geometry;
pub mod logistic;
pub mod nodule;
pub mod reading;
pub mod secagg;
pub mod shamir;
pub mod shape;
