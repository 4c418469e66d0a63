//! Writes the demo input of all sites into a folder and says how long each took:
//! `cargo run --release -p arno-phantom --example bench -- <folder>`.

use std::path::PathBuf;
use std::time::Instant;

use arno_phantom::{InputOptions, SITES, write_site_input};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: bench <folder>")?);
    for site in &SITES {
        let start = Instant::now();
        let input = write_site_input(
            site,
            &folder.join(site.key),
            &InputOptions::default(),
            &|_| (),
        )?;
        println!("{:?} {}: {input:?}", start.elapsed(), site.key);
    }
    Ok(())
}
