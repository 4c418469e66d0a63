//! The boxes that a person begins with: where text was found, and where devices of that kind write.

use arno_pixels::{Frames, Region};
use arno_protocol::node::review::ReviewBox;

use super::stored::Decision;

/// What was found by that decision.
pub(crate) fn found(verdict_json: Option<&str>) -> Vec<Region> {
    let decision = verdict_json.and_then(Decision::from_json);
    decision.map_or(Vec::new(), |decision| decision.regions().to_vec())
}

/// What was found by that decision, and what the rules of devices say, in a frame of this size; never more than `most` boxes.
pub(crate) fn proposed(
    verdict_json: Option<&str>,
    device: Vec<Region>,
    (rows, columns): (u16, u16),
    most: usize,
) -> Vec<ReviewBox> {
    let regions = found(verdict_json).into_iter().chain(device);
    let mut regions: Vec<Region> = regions
        .filter_map(|region| region.clipped(rows, columns))
        .collect();
    regions.sort_unstable();
    regions.dedup();
    if regions.len() > most {
        regions = joined(&regions, most);
    }
    regions.into_iter().map(review_box).collect()
}

/// The same for all frames, with regions joined that touch: more than is necessary, and nothing less.
fn joined(regions: &[Region], most: usize) -> Vec<Region> {
    let mut joined: Vec<Region> = Vec::new();
    for region in regions {
        let region = Region {
            frames: Frames::All,
            ..*region
        };
        let full = joined.len() == most;
        let touching = joined
            .iter()
            .position(|other| full || other.overlap(region) > 0);
        match touching.and_then(|at| joined.get_mut(at)) {
            Some(other) => *other = around(*other, region),
            None => joined.push(region),
        }
    }
    joined
}

fn around(one: Region, two: Region) -> Region {
    let (x, y) = (one.x.min(two.x), one.y.min(two.y));
    let right = (one.x + one.width).max(two.x + two.width);
    let bottom = (one.y + one.height).max(two.y + two.height);
    Region {
        x,
        y,
        width: right - x,
        height: bottom - y,
        ..one
    }
}

fn review_box(region: Region) -> ReviewBox {
    ReviewBox {
        x: region.x,
        y: region.y,
        width: region.width,
        height: region.height,
        frame: match region.frames {
            Frames::All => None,
            Frames::One(frame) => Some(frame + 1),
        },
    }
}

#[cfg(test)]
mod tests {
    use arno_pixels::{Frames, Region};

    use super::{joined, proposed};
    use crate::text::stored::Decision;

    fn one(frame: u32, x: u32, y: u32) -> Region {
        Region {
            frames: Frames::One(frame),
            ..Region::everywhere(x, y, 50, 10)
        }
    }

    #[test]
    fn what_was_found_and_what_devices_do_is_proposed_once() {
        let found = Decision::Waits(vec![one(0, 5, 5), one(2, 95, 5)]).to_json();
        let device = vec![Region::everywhere(0, 0, 1000, 4), one(0, 5, 5)];
        let boxes = proposed(Some(&found), device, (90, 100), 500);
        let frames: Vec<_> = boxes.iter().map(|one| (one.frame, one.width)).collect();
        assert_eq!(frames, [(None, 100), (Some(1), 50), (Some(3), 5)]);
        assert_eq!(proposed(None, Vec::new(), (90, 100), 500), []);
    }

    #[test]
    fn too_many_are_joined_and_none_is_lost() {
        let regions: Vec<Region> = (0..40)
            .map(|frame| one(frame, 3 * frame, 60 * (frame % 7)))
            .collect();
        for most in [1, 3, 8] {
            let joined = joined(&regions, most);
            assert!(joined.len() <= most);
            for region in &regions {
                let covers = |all: &Region| all.overlap(*region) == region.area();
                assert!(joined.iter().any(covers), "{region:?} of {most}");
            }
        }
    }
}
