//! Rectangles in frames.

/// A rectangle of pixels to be overwritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region {
    /// Which frames it is in.
    pub frames: Frames,
    /// First column, from the left, counted from zero.
    pub x: u32,
    /// First row, from the top, counted from zero.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// Which frames of an instance a region is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Frames {
    /// All of them.
    All,
    /// One, counted from zero.
    One(u32),
}

impl Region {
    /// A rectangle in all frames.
    #[must_use]
    pub fn everywhere(x: u32, y: u32, width: u32, height: u32) -> Self {
        Self {
            frames: Frames::All,
            x,
            y,
            width,
            height,
        }
    }

    /// The part of it that lies in a frame of this size; nothing if there is none.
    #[must_use]
    pub fn clipped(self, rows: u16, columns: u16) -> Option<Self> {
        let width = self.width.min(u32::from(columns).saturating_sub(self.x));
        let height = self.height.min(u32::from(rows).saturating_sub(self.y));
        (width > 0 && height > 0).then_some(Self {
            width,
            height,
            ..self
        })
    }

    /// The same rectangle, wider by this many pixels on every side.
    #[must_use]
    pub fn grown(self, by: u32) -> Self {
        let (x, y) = (self.x.saturating_sub(by), self.y.saturating_sub(by));
        Self {
            x,
            y,
            width: (self.x - x).saturating_add(self.width).saturating_add(by),
            height: (self.y - y).saturating_add(self.height).saturating_add(by),
            ..self
        }
    }

    /// Pixels in it.
    #[must_use]
    pub fn area(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Pixels in both rectangles, whatever frames they are in.
    #[must_use]
    pub fn overlap(self, other: Self) -> u64 {
        let shared = |a: u32, a_size: u32, b: u32, b_size: u32| {
            let end = a.saturating_add(a_size).min(b.saturating_add(b_size));
            u64::from(end.saturating_sub(a.max(b)))
        };
        shared(self.x, self.width, other.x, other.width)
            * shared(self.y, self.height, other.y, other.height)
    }
}

impl Frames {
    /// The numbers of the frames, of `count` that there are.
    pub(crate) fn numbers(self, count: u32) -> std::ops::Range<u32> {
        match self {
            Self::All => 0..count,
            Self::One(frame) => frame..frame.saturating_add(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Region;

    #[test]
    fn a_region_is_clipped_to_the_frame() {
        let check = |region: [u32; 4], expect: Option<[u32; 4]>| {
            let of = |[x, y, width, height]: [u32; 4]| Region::everywhere(x, y, width, height);
            assert_eq!(of(region).clipped(10, 20), expect.map(of), "{region:?}");
        };
        check([0, 0, 20, 10], Some([0, 0, 20, 10]));
        check([5, 5, 100, u32::MAX], Some([5, 5, 15, 5]));
        check([19, 9, 1, 1], Some([19, 9, 1, 1]));
        check([20, 0, 1, 1], None);
        check([0, 10, 1, 1], None);
        check([u32::MAX, u32::MAX, u32::MAX, u32::MAX], None);
        check([3, 3, 0, 4], None);
    }

    #[test]
    fn a_region_grows_to_every_side_but_not_beyond_the_origin() {
        let grown = Region::everywhere(1, 10, 5, 5).grown(3);
        assert_eq!(grown, Region::everywhere(0, 7, 9, 11));
    }

    #[test]
    fn overlap_counts_shared_pixels() {
        let a = Region::everywhere(0, 0, 10, 10);
        assert_eq!(a.overlap(Region::everywhere(5, 8, 10, 10)), 10);
        assert_eq!(a.overlap(Region::everywhere(10, 0, 3, 3)), 0);
        assert_eq!(a.overlap(a), a.area());
    }
}
