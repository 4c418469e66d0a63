//! Where text is: the picture as the detector wants it, and boxes out of the shares that it gives each pixel.
//!
//! The detector is a network of the kind "differentiable binarization" (Liao et al. 2020): its output is, for each pixel,
//! how likely it lies in the shrunken core of a line. Cores are grown back to lines here. Text stands level in what
//! devices write, so boxes are not turned.

use arno_pixels::{Frames, Region};
use rten_tensor::prelude::AsView as _;
use rten_tensor::{NdTensor, Tensor};

use crate::raster::Raster;
use crate::regions::{Core, cores};

/// Sides that the network takes are multiples of this.
const STRIDE: usize = 32;

/// Small print of nine pixels is read for sure only when it is made larger.
const MOST_ENLARGED: f32 = 2.0;

/// Longer side of what is looked at: larger pictures are made smaller, their letters are large too.
const LONGER_SIDE: f32 = 1280.0;

/// A pixel belongs to a core from this share on, and a core is a line from this mean on. Both are lower than usual: what is no
/// text is told by reading it.
const PIXEL_SHARE: f32 = 0.2;
const LINE_SHARE: f32 = 0.3;

/// Cores grow by this times area over perimeter.
const GROWTH: f32 = 1.7;

/// Lower than this, a core is a speck.
const LEAST_SIDE: usize = 3;

/// Lines of one picture that are read.
const MAX_LINES: usize = 1000;

/// A picture as the detector wants it.
pub(crate) struct Input {
    width: usize,
    height: usize,
    numbers: Vec<f32>,
}

impl Input {
    pub(crate) fn of(raster: &Raster) -> Self {
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most 65,535 pixels a side, and positive"
        )]
        let side = |length: usize| {
            let longer = raster.width.max(raster.height) as f32;
            let scale = (LONGER_SIDE / longer).min(MOST_ENLARGED);
            ((length as f32 * scale) as usize)
                .next_multiple_of(STRIDE)
                .max(STRIDE)
        };
        let (width, height) = (side(raster.width), side(raster.height));
        Self {
            width,
            height,
            numbers: raster.part(whole(raster), width, height),
        }
    }

    pub(crate) fn tensor(&self) -> NdTensor<f32, 4> {
        NdTensor::from_data([1, 3, self.height, self.width], self.numbers.clone())
    }
}

fn whole(raster: &Raster) -> Region {
    let side = |length| u32::try_from(length).unwrap_or(u32::MAX);
    Region::everywhere(0, 0, side(raster.width), side(raster.height))
}

/// The lines of a picture, in its own pixels, in frame 0.
pub(crate) fn regions(input: &Input, shares: &Tensor<f32>, raster: &Raster) -> Vec<Region> {
    let shares = shares.to_vec();
    if shares.len() != input.width * input.height {
        return Vec::new();
    }
    let cores = cores(&shares, input.width, PIXEL_SHARE);
    let lines = cores
        .into_iter()
        .filter(|core| core.mean >= LINE_SHARE && core.width().min(core.height()) >= LEAST_SIDE);
    let mut regions: Vec<Region> = lines
        .filter_map(|core| grown(&core, input, raster))
        .collect();
    regions.truncate(MAX_LINES);
    regions
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places within a picture, clamped to it"
)]
fn grown(core: &Core, input: &Input, raster: &Raster) -> Option<Region> {
    let (width, height) = (core.width() as f32, core.height() as f32);
    let by = width * height * GROWTH / (2.0 * (width + height));
    let place = |at: f32, of: usize, to: usize| (at / of as f32 * to as f32).clamp(0.0, to as f32);
    let x = |at: f32| place(at, input.width, raster.width);
    let y = |at: f32| place(at, input.height, raster.height);
    let (left, right) = (
        x(core.left as f32 - by).floor(),
        x(core.right as f32 + 1.0 + by).ceil(),
    );
    let (top, bottom) = (
        y(core.top as f32 - by).floor(),
        y(core.bottom as f32 + 1.0 + by).ceil(),
    );
    let region = Region {
        frames: Frames::One(0),
        x: left as u32,
        y: top as u32,
        width: (right - left) as u32,
        height: (bottom - top) as u32,
    };
    (region.area() > 0).then_some(region)
}
