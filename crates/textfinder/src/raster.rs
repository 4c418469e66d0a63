//! Pictures as numbers, and their parts in other sizes.

use arno_pixels::{Picture, Region};

/// Three channels of a picture, each row by row.
pub(crate) struct Raster {
    pub(crate) width: usize,
    pub(crate) height: usize,
    channels: usize,
    bytes: Vec<u8>,
}

impl Raster {
    pub(crate) fn of(picture: &Picture) -> Option<Self> {
        Some(Self {
            width: picture.columns.into(),
            height: picture.rows.into(),
            channels: picture.channels()?,
            bytes: picture.bytes.clone(),
        })
    }

    fn at(&self, x: usize, y: usize, channel: usize) -> f32 {
        let channel = channel.min(self.channels - 1);
        let pixel = y.min(self.height - 1) * self.width + x.min(self.width - 1);
        f32::from(self.bytes[pixel * self.channels + channel])
    }

    /// A part of it in another size, between -1 and 1 as the models want it: channel by channel, each row by row.
    /// Bilinear; what is made smaller is averaged over four points a pixel.
    pub(crate) fn part(&self, region: Region, width: usize, height: usize) -> Vec<f32> {
        let across = steps(region.x, region.width, width);
        let down = steps(region.y, region.height, height);
        let mut part = Vec::with_capacity(3 * width * height);
        for channel in 0..3 {
            if channel > 0 && self.channels == 1 {
                part.extend_from_within(..width * height);
                continue;
            }
            for y in &down {
                for x in &across {
                    let sum: f32 = y
                        .iter()
                        .flat_map(|y| x.iter().map(|x| self.point(*x, *y, channel)))
                        .sum();
                    part.push(sum / 4.0 / 127.5 - 1.0);
                }
            }
        }
        part
    }

    /// Between four pixels.
    fn point(&self, (x, right): (usize, f32), (y, below): (usize, f32), channel: usize) -> f32 {
        let row = |y| self.at(x, y, channel) * (1.0 - right) + self.at(x + 1, y, channel) * right;
        row(y) * (1.0 - below) + row(y + 1) * below
    }
}

/// For each new pixel, two places in the old ones: a pixel, and how far on to the next.
fn steps(start: u32, length: u32, count: usize) -> Vec<[(usize, f32); 2]> {
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "places within a picture, which has at most 65,535 pixels a side"
    )]
    let place = |at: f32| {
        let at = (start as f32 + at * length as f32 / count as f32 - 0.5).max(0.0);
        (at as usize, at.fract())
    };
    #[allow(clippy::cast_precision_loss, reason = "at most 65,535")]
    let steps = (0..count).map(|new| [0.25, 0.75].map(|half| place(new as f32 + half)));
    steps.collect()
}
