//! A storage SCP that counts, for measuring the protocol alone; with a folder it writes Part 10 files. Prints what it
//! received and its own CPU time when interrupted.
//!
//! `storage_sink PORT on|off [FOLDER]`: TCP_QUICKACK on or off.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arno_dimse::part10;
use arno_dimse::scp::{
    CalledAe, QuickAck, Server, ServerConfig, StoreHandler, StoreRequest, StoreStatus,
};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().ok_or("a port")?.parse()?;
    let quick_ack = match arguments.next().as_deref() {
        Some("on") => QuickAck::On,
        Some("off") => QuickAck::Off,
        _ => return Err("on or off".into()),
    };
    let folder = arguments.next().map(PathBuf::from);
    let config = ServerConfig {
        called_ae: CalledAe::Any,
        quick_ack,
        ..ServerConfig::new("ARNO".parse()?)
    };
    let received = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&received);
    let handler = StoreHandler::new(move |request| {
        counter.fetch_add(1, Ordering::Relaxed);
        let status = folder
            .as_ref()
            .map_or(StoreStatus::Success, |folder| write(folder, request));
        async move { status }
    });
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let interrupted = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    Server::new(config, handler)?
        .serve(listener, interrupted)
        .await;
    println!("{} instances", received.load(Ordering::Relaxed));
    println!(
        "{}",
        std::fs::read_to_string("/proc/self/stat")?
            .split(' ')
            .skip(13)
            .take(2)
            .collect::<Vec<_>>()
            .join(" user, system ticks ")
    );
    let status = std::fs::read_to_string("/proc/self/status")?;
    for line in status.lines().filter(|line| line.starts_with("VmHWM")) {
        println!("{line}");
    }
    Ok(())
}

/// The UID is digits and dots only, so it is a safe name.
fn write(folder: &std::path::Path, request: StoreRequest) -> StoreStatus {
    let name = format!("{}.dcm", request.affected_sop_instance);
    match std::fs::write(folder.join(name), part10(request)) {
        Ok(()) => StoreStatus::Success,
        Err(_) => StoreStatus::OutOfResources,
    }
}
