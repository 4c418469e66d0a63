//! How an image is to be rendered (PS3.18 section 8.3.5): window, viewport, quality.
//!
//! What is not supported (annotation, other ICC profiles, presentation states) is refused: an image without what was asked
//! to be on it misleads. Not here: the pixels.

use crate::percent::{EncodingError, pairs};

/// Longest edge of a rendered image; no screen is larger.
pub const MAX_EDGE: u32 = 8192;

/// What a rendered image looks like.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rendering {
    /// The window; the header's when absent.
    pub window: Option<Window>,
    /// Size and region; the whole image in its own size when absent.
    pub viewport: Option<Viewport>,
    /// 1 to 100, of JPEG.
    pub quality: Option<u8>,
    /// The `accept` parameter.
    pub accept: Option<String>,
}

/// Which values are shown between black and white (PS3.3 C.11.2.1.2).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Window Center (0028,1050).
    pub center: f64,
    /// Window Width (0028,1051), above zero.
    pub width: f64,
    /// VOI LUT Function (0028,1056).
    pub shape: Shape,
}

/// VOI LUT functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// C.11.2.1.2.1.
    Linear,
    /// C.11.2.1.3.2.
    LinearExact,
    /// C.11.2.1.3.1.
    Sigmoid,
}

/// A place on a screen, and the part of the image that fills it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Viewport {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// The part of the image.
    pub region: Region,
}

/// A part of an image in its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Region {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Width; the rest of the image when absent, mirrored when negative.
    pub width: Option<f64>,
    /// Height; the rest of the image when absent, mirrored when negative.
    pub height: Option<f64>,
}

/// Why a rendering is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RenderingError {
    /// It cannot be read.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// A parameter that is not supported.
    #[error("rendering knows window, viewport, quality and accept: leave the other parameters out")]
    Unsupported,
    /// A value that the parameter cannot have.
    #[error("{name} must be {wanted}")]
    BadValue {
        /// The parameter.
        name: &'static str,
        /// What it can be.
        wanted: &'static str,
    },
}

impl Shape {
    /// A value of VOI LUT Function (0028,1056).
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        match text.trim().to_ascii_uppercase().replace('-', "_").as_str() {
            "LINEAR" => Some(Self::Linear),
            "LINEAR_EXACT" => Some(Self::LinearExact),
            "SIGMOID" => Some(Self::Sigmoid),
            _ => None,
        }
    }
}

impl Rendering {
    /// Reads the query string. Of a parameter that stands more than once, the last counts.
    ///
    /// # Errors
    /// [`RenderingError`].
    pub fn parse(query: &str) -> Result<Self, RenderingError> {
        let mut rendering = Self::default();
        for (name, value) in pairs(query)? {
            match name.as_str() {
                "window" => rendering.window = Some(window(&value)?),
                "viewport" => rendering.viewport = Some(viewport(&value)?),
                "quality" => rendering.quality = Some(quality(&value)?),
                "accept" => rendering.accept = Some(value),
                // No profile is what we give.
                "iccprofile" if value == "no" => {}
                _ => return Err(RenderingError::Unsupported),
            }
        }
        Ok(rendering)
    }
}

fn window(value: &str) -> Result<Window, RenderingError> {
    let wanted =
        "a centre, a width above 0 (at least 1 for LINEAR), and LINEAR, LINEAR_EXACT or SIGMOID";
    let parts: Vec<&str> = value.split(',').collect();
    let read = || {
        let (center, width, shape) = match parts[..] {
            [center, width] => (center, width, Shape::Linear),
            [center, width, shape] => (center, width, Shape::of(shape)?),
            _ => return None,
        };
        let window = Window {
            center: finite(center)?,
            width: finite(width)?,
            shape,
        };
        window.is_usable().then_some(window)
    };
    let name = "window";
    read().ok_or(RenderingError::BadValue { name, wanted })
}

impl Window {
    /// Whether there is anything between black and white.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        let least = if self.shape == Shape::Linear {
            1.0
        } else {
            f64::MIN_POSITIVE
        };
        self.center.is_finite() && self.width.is_finite() && self.width >= least
    }
}

fn viewport(value: &str) -> Result<Viewport, RenderingError> {
    let wanted = "width and height up to 8192, and perhaps x, y, width and height of a region";
    let parts: Vec<&str> = value.split(',').collect();
    let read = || {
        let (size, region) = match parts[..] {
            [width, height] => ([width, height], Region::default()),
            [width, height, x, y, across, down] => {
                let region = Region {
                    x: optional(x)?.unwrap_or(0.0),
                    y: optional(y)?.unwrap_or(0.0),
                    width: optional(across)?,
                    height: optional(down)?,
                };
                ([width, height], region)
            }
            _ => return None,
        };
        let [width, height] = size.map(edge);
        region.is_usable().then_some(Viewport {
            width: width?,
            height: height?,
            region,
        })
    };
    let name = "viewport";
    read().ok_or(RenderingError::BadValue { name, wanted })
}

impl Region {
    fn is_usable(&self) -> bool {
        let is_empty = |edge: Option<f64>| edge.is_some_and(|edge| edge.abs() < 1.0);
        self.x >= 0.0 && self.y >= 0.0 && !is_empty(self.width) && !is_empty(self.height)
    }
}

fn quality(value: &str) -> Result<u8, RenderingError> {
    let quality = value
        .parse()
        .ok()
        .filter(|quality| (1..=100).contains(quality));
    quality.ok_or(RenderingError::BadValue {
        name: "quality",
        wanted: "1 to 100",
    })
}

fn edge(text: &str) -> Option<u32> {
    let edge = text.trim().parse().ok();
    edge.filter(|edge| (1..=MAX_EDGE).contains(edge))
}

fn finite(text: &str) -> Option<f64> {
    let number: Option<f64> = text.trim().parse().ok();
    number.filter(|number| number.is_finite())
}

/// Nothing between two commas is a default.
fn optional(text: &str) -> Option<Option<f64>> {
    match text.trim() {
        "" => Some(None),
        text => finite(text).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::{Region, Rendering, Shape, Viewport, Window};

    #[test]
    fn windows_viewports_and_quality_are_read() {
        let check = |query: &str, expect: Rendering| {
            assert_eq!(Rendering::parse(query), Ok(expect), "{query}");
        };
        check("", Rendering::default());
        check("iccprofile=no", Rendering::default());
        let window = |center, width, shape| Rendering {
            window: Some(Window {
                center,
                width,
                shape,
            }),
            ..Rendering::default()
        };
        check("window=40,400,LINEAR", window(40.0, 400.0, Shape::Linear));
        check(
            "window=-600,1600,linear-exact",
            window(-600.0, 1600.0, Shape::LinearExact),
        );
        check("window=0.5,0.1,SIGMOID", window(0.5, 0.1, Shape::Sigmoid));
        check("window=40,400", window(40.0, 400.0, Shape::Linear));
        let viewport = |region| Rendering {
            viewport: Some(Viewport {
                width: 64,
                height: 32,
                region,
            }),
            ..Rendering::default()
        };
        check("viewport=64,32", viewport(Region::default()));
        let region = Region {
            x: 1.0,
            y: 2.0,
            width: Some(-8.0),
            height: None,
        };
        check("viewport=64,32,1,2,-8,", viewport(region));
        check("viewport=64,32,,,,", viewport(Region::default()));
        check(
            "quality=90",
            Rendering {
                quality: Some(90),
                ..Rendering::default()
            },
        );
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        let check = |query: &str| assert!(Rendering::parse(query).is_err(), "{query}");
        check("annotation=patient");
        check("iccprofile=srgb");
        check("presentation=1.2");
        check("window=40");
        check("window=40,0,LINEAR");
        check("window=40,0.5,LINEAR");
        check("window=nan,400,LINEAR");
        check("window=40,inf,SIGMOID");
        check("window=40,400,CUBIC");
        check("viewport=0,10");
        check("viewport=9000,10");
        check("viewport=10");
        check("viewport=10,10,-1,0,5,5");
        check("viewport=10,10,0,0,0,5");
        check("viewport=10,10,0,0,5");
        check("quality=0");
        check("quality=101");
        check("quality=%");
    }
}
