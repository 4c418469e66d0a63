//! What hub and node share: sign-in, errors, the embedded web app, serving, shutdown.
