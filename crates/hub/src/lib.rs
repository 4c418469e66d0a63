//! The central service: catalogue, search, requests, permits, analyses.
