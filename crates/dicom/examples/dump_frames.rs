//! Writes every frame of a DICOM file as raw samples, for comparison with other readers: `dump_frames FILE [colours]`.
//!
//! Each frame is a line with rows, columns, samples per pixel, bytes per sample, and `u`, `i` or `f` for its numbers, then
//! its bytes, little endian. With `colours` a palette is applied.

use arno_codecs::InProcess;
use arno_dicom::{Frame, FrameLayout, Instance};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("name a file")?;
    let with_colours = arguments.next().is_some();
    let instance = Instance::read(std::fs::read(path)?.into())?;
    let layout = FrameLayout::of(&instance)?;
    let pixels = instance.pixels.as_ref().ok_or("no pixels")?;
    let value = &pixels.encoded[pixels.value_offset..];
    let mut out = std::io::stdout().lock();
    for index in 0..layout.count {
        let range = layout.range(index)?;
        let range = usize::try_from(range.start)?..usize::try_from(range.end)?;
        let bytes = value.get(range).ok_or("the pixel data is too short")?;
        let frame = layout.decode(index, bytes, &InProcess)?;
        match &layout.palette {
            Some(palette) if with_colours => write(&mut out, &palette.apply(&frame)?)?,
            _ => write(&mut out, &frame)?,
        }
    }
    Ok(())
}

fn write(out: &mut impl std::io::Write, frame: &Frame) -> std::io::Result<()> {
    let kind = match (frame.float, frame.signed) {
        (true, _) => 'f',
        (false, true) => 'i',
        (false, false) => 'u',
    };
    writeln!(
        out,
        "{} {} {} {} {kind}",
        frame.rows, frame.columns, frame.samples_per_pixel, frame.bytes_per_sample
    )?;
    out.write_all(&frame.bytes)
}
