//! The hospital service: ingest, search, analyses, viewer.
