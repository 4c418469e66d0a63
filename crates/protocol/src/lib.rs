//! Wire types: node-hub messages, public API, problem+json. Serde and schema only.
