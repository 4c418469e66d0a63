//! Demo input: LIDC-IDRI outlines, phantom CT series round them, invented identities.
