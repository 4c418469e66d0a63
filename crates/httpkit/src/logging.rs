//! Log lines on standard error. They read alone and hold no patient data; what must be kept is an audit entry.

use tracing::Level;

/// Starts logging at the level named by `ARNO_LOG` (error, warn, info, debug, trace; default info).
pub fn init_logging(program: &str) {
    let level = std::env::var("ARNO_LOG")
        .ok()
        .and_then(|level| level.parse().ok())
        .unwrap_or(Level::INFO);
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_target(false)
        .finish();
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        tracing::debug!(program, %level, "logging");
    }
}
