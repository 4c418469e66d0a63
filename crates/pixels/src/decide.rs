//! Which regions are made black, voted over all frames of a series.
//!
//! Clear readings go wherever they stand. Weak ones need a second frame that agrees. What stands in the same place in
//! most frames is a banner, and goes from every frame, also from those in which it was not seen. Frames with nothing but
//! noise stay as they are.

use crate::looked::{Looked, Reading, Weight};
use crate::region::{Frames, Region};

/// Frames of a series that must show text in one place before the others are taken to show it too.
const LEAST_BANNER_FRAMES: usize = 3;

/// Places that are voted on: a screen full of text has some hundred lines.
const MAX_PLACES: usize = 2000;

/// Noise this far from a clear reading in the same line belongs to it, in heights of the line.
const LINE_GAP: u32 = 3;

/// A frame of which text takes this share is a page: a scanned form or a report, on which there may be handwriting too,
/// which nobody here reads.
const PAGE_SHARE: f64 = 0.25;

/// What is to be done about the pixels of one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: no text was found in any frame.
    Clean,
    /// These regions are to be made black.
    Blacken(Vec<Region>),
    /// A person has to look, and begins with these regions.
    Doubt(Doubt, Vec<Region>),
}

/// Why what a detector found does not settle it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// Text takes too much of a frame.
    #[error("it is a page of text, which can hold handwriting too")]
    Page,
    /// The header says that there is text, and none was found.
    #[error("the header says that text is burned in, and none was found")]
    NotFound,
}

impl Looked {
    fn verdict(&self, regions: Vec<Region>) -> Verdict {
        if regions.is_empty() && self.is_declared {
            return Verdict::Doubt(Doubt::NotFound, self.device_regions());
        }
        let pixels = f64::from(self.rows) * f64::from(self.columns);
        let is_page = (0..self.frames).any(|frame| {
            let here = |frames| matches!(frames, Frames::All) || frames == Frames::One(frame);
            let text = regions.iter().filter(|region| here(region.frames));
            #[allow(clippy::cast_precision_loss, reason = "a share of a frame")]
            let area = text.map(|region| region.area()).sum::<u64>() as f64;
            area > pixels * PAGE_SHARE
        });
        let device = self.device_regions().into_iter();
        let mut regions: Vec<Region> = regions.into_iter().chain(device).collect();
        regions.sort_unstable();
        regions.dedup();
        match (is_page, regions.is_empty()) {
            (true, _) => Verdict::Doubt(Doubt::Page, regions),
            (false, true) => Verdict::Clean,
            (false, false) => Verdict::Blacken(regions),
        }
    }

    fn device_regions(&self) -> Vec<Region> {
        let device = self.device.iter();
        device
            .filter_map(|region| region.clipped(self.rows, self.columns))
            .collect()
    }
}

/// What is to be done about each of these instances, which are all of one series.
#[must_use]
pub fn decide(series: &[Looked]) -> Vec<Verdict> {
    let places = places(series);
    series
        .iter()
        .map(|looked| looked.verdict(looked.regions(&places)))
        .collect()
}

/// Where frames of one size show text.
struct Place {
    size: (u16, u16),
    region: Region,
    /// Frames that have a reading there that is more than noise.
    frames: usize,
    /// The last of them, so that a frame votes once.
    last: (usize, Frames),
    /// Frames of this size in the series.
    of: usize,
}

impl Looked {
    fn size(&self) -> (u16, u16) {
        (self.rows, self.columns)
    }

    fn regions(&self, places: &[Place]) -> Vec<Region> {
        let here = || places.iter().filter(|place| place.size == self.size());
        let is_agreed = |region: Region| {
            here().any(|place| place.is_at(region) && (place.frames > 1 || place.of == 1))
        };
        let counts = |reading: &&Reading| match reading.weight {
            Weight::Clear => true,
            Weight::Weak => is_agreed(reading.region),
            Weight::Noise => false,
        };
        let (text, rest): (Vec<&Reading>, Vec<&Reading>) = self.readings.iter().partition(counts);
        let text: Vec<Region> = text.iter().map(|reading| reading.region).collect();
        let beside = rest
            .iter()
            .map(|reading| reading.region)
            .filter(|region| text.iter().any(|line| is_beside(*line, *region)));
        let own = text.iter().copied().chain(beside).map(with_margin);
        let banners = here().filter(|place| place.is_banner());
        let banners = banners.map(|place| Region {
            frames: Frames::All,
            ..with_margin(place.region)
        });
        let mut regions: Vec<Region> = own
            .chain(banners)
            .filter_map(|region| region.clipped(self.rows, self.columns))
            .collect();
        if self.frames == 1 {
            for region in &mut regions {
                region.frames = Frames::All;
            }
        }
        regions.sort_unstable();
        regions.dedup();
        regions
    }
}

impl Place {
    /// Most of the smaller of both rectangles is in the other.
    fn is_at(&self, region: Region) -> bool {
        self.region.overlap(region) * 2 > self.region.area().min(region.area())
    }

    fn is_banner(&self) -> bool {
        self.frames >= LEAST_BANNER_FRAMES && self.frames * 2 >= self.of
    }
}

fn places(series: &[Looked]) -> Vec<Place> {
    let frames_of = |size| {
        let same = series.iter().filter(|looked| looked.size() == size);
        same.map(|looked| looked.frames as usize).sum()
    };
    let mut places: Vec<Place> = Vec::new();
    for (instance, looked) in series.iter().enumerate() {
        let size = looked.size();
        let readings = looked.readings.iter();
        for Reading { region, .. } in readings.filter(|reading| reading.weight > Weight::Noise) {
            let frame = (instance, region.frames);
            let known = places
                .iter()
                .position(|place| place.size == size && place.is_at(*region));
            let full = places.len() == MAX_PLACES;
            match known.and_then(|at| places.get_mut(at)) {
                Some(place) if place.last == frame => {}
                Some(place) => {
                    place.frames += 1;
                    place.last = frame;
                }
                None if full => {}
                None => places.push(Place {
                    size,
                    region: *region,
                    frames: 1,
                    last: frame,
                    of: frames_of(size),
                }),
            }
        }
    }
    places
}

/// Whether a reading continues a line of the same frame.
fn is_beside(line: Region, region: Region) -> bool {
    let top = line.y.max(region.y);
    let bottom = (line.y + line.height).min(region.y + region.height);
    let is_level = bottom.saturating_sub(top) * 2 >= line.height.min(region.height);
    let is_alike = region.height <= line.height * 2 && line.height <= region.height * 2;
    let gap = region
        .x
        .saturating_sub(line.x + line.width)
        .max(line.x.saturating_sub(region.x + region.width));
    line.frames == region.frames && is_level && is_alike && gap <= LINE_GAP * line.height
}

/// Detectors cut off the feet of letters and the ends of lines.
fn with_margin(region: Region) -> Region {
    region.grown((region.height / 4).max(2))
}

#[cfg(test)]
mod tests {
    use arno_dicom::Header;

    use super::{Doubt, Verdict, decide};
    use crate::looked::{Looked, Reading};
    use crate::{FoundText, Frames, Known, Region};

    const BANNER: [u32; 4] = [10, 10, 100, 12];

    fn instance(readings: &[([u32; 4], &str, f32)]) -> Looked {
        let known = Known::of(&Header::new_empty());
        let found = readings
            .iter()
            .map(|([x, y, width, height], text, confidence)| FoundText {
                region: Region {
                    frames: Frames::One(0),
                    ..Region::everywhere(*x, *y, *width, *height)
                },
                text: (*text).to_owned(),
                confidence: *confidence,
            });
        Looked {
            rows: 512,
            columns: 512,
            frames: 1,
            readings: found.map(|found| Reading::of(&found, &known)).collect(),
            device: Vec::new(),
            is_declared: false,
        }
    }

    fn regions_of(verdict: Verdict) -> Vec<Region> {
        match verdict {
            Verdict::Blacken(regions) => regions,
            Verdict::Clean => Vec::new(),
            Verdict::Doubt(doubt, _) => panic!("{doubt}"),
        }
    }

    fn check(series: &[Looked], expect: &[usize]) -> Vec<Vec<Region>> {
        let regions: Vec<Vec<Region>> = decide(series).into_iter().map(regions_of).collect();
        let counts: Vec<usize> = regions.iter().map(Vec::len).collect();
        assert_eq!(counts, expect);
        regions
    }

    #[test]
    fn bones_are_left_alone_and_text_is_not() {
        let bone = instance(&[
            ([200, 200, 30, 30], "O", 0.9),
            ([90, 90, 20, 20], "8", 0.99),
        ]);
        let text = instance(&[(BANNER, "Anna Muster", 0.97)]);
        let regions = check(&[bone.clone(), text, bone], &[0, 1, 0]);
        assert_eq!(regions[1], [Region::everywhere(7, 7, 106, 18)]);
    }

    #[test]
    fn a_banner_goes_from_every_frame_and_an_accident_from_one() {
        let text = instance(&[(BANNER, "Anna Muster", 0.97)]);
        let unseen = instance(&[]);
        let series = [text.clone(), text.clone(), text.clone(), unseen.clone()];
        check(&series, &[1, 1, 1, 1]);
        let series = [text, unseen.clone(), unseen.clone(), unseen];
        check(&series, &[1, 0, 0, 0]);
    }

    #[test]
    fn weak_readings_need_a_second_frame() {
        let weak = instance(&[([300, 300, 40, 15], "5cm", 0.7)]);
        let other = instance(&[([100, 300, 40, 15], "R2", 0.7)]);
        let empty = instance(&[]);
        check(&[weak.clone(), other.clone(), empty.clone()], &[0, 0, 0]);
        check(
            &[weak.clone(), weak.clone(), other, empty.clone(), empty],
            &[1, 1, 0, 0, 0],
        );
        // Alone, nobody contradicts.
        check(&[weak], &[1]);
    }

    #[test]
    fn what_continues_a_line_goes_with_it() {
        let line = instance(&[
            ([100, 100, 80, 12], "lospital", 0.98),
            ([60, 101, 20, 11], "G", 0.4),
            ([100, 200, 20, 11], "O", 0.9),
        ]);
        let regions = check(&[line], &[2]);
        assert!(regions[0].iter().all(|region| region.y < 110));
    }

    #[test]
    fn frames_of_one_instance_vote_too() {
        let mut cine = instance(&[(BANNER, "Anna Muster", 0.97); 4]);
        for (frame, found) in (0..).zip(&mut cine.readings) {
            found.region.frames = Frames::One(frame);
        }
        cine.frames = 5;
        let [verdict] = decide(&[cine]).try_into().expect("one");
        let regions = regions_of(verdict);
        assert!(regions.iter().any(|region| region.frames == Frames::All));
    }

    #[test]
    fn what_a_detector_cannot_settle_is_for_a_person() {
        let mut declared = instance(&[([200, 200, 30, 30], "O", 0.9)]);
        declared.is_declared = true;
        assert_eq!(
            decide(&[declared]),
            [Verdict::Doubt(Doubt::NotFound, Vec::new())]
        );
        let page = instance(&[([0, 0, 512, 200], "Anna Muster", 0.97)]);
        let found = vec![Region::everywhere(0, 0, 512, 250)];
        assert_eq!(decide(&[page]), [Verdict::Doubt(Doubt::Page, found)]);
    }

    #[test]
    fn where_a_device_writes_is_made_black_whatever_was_read() {
        let mut known = instance(&[]);
        known.device = vec![Region::everywhere(0, 0, 1024, 24)];
        let expect = Region::everywhere(0, 0, 512, 24);
        assert_eq!(decide(&[known]), [Verdict::Blacken(vec![expect])]);
    }
}
