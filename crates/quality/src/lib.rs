//! Quality of series and the re-identification risk of datasets. Pure: everything comes as facts and attributes, nothing is read
//! or decoded here.
//!
//! A rule is a row of [`rules::RULES`]: an id, words, a severity, what to do, and a small function. What kind a series is says
//! [`kind`], with its evidence; [`look`] finds series that look alike; [`risk`] is about people.

pub mod attributes;
pub mod body;
pub mod facts;
pub mod kind;
pub mod look;
pub mod person;
pub mod risk;
pub mod rules;
mod stack;

pub use attributes::Attributes;
pub use facts::{InstanceFacts, Plane, ReferencedSeries, SeriesFacts, Twin};
pub use rules::{Failure, RULES, Rule, SeriesReport, Verdict, check_series};
