//! The stack of planes of a series: depths along the normal, how many images lie at each, and the usual distance.
//!
//! A series may be several volumes at the same places (time points, b-values, echoes): then every place holds equally many.

use crate::facts::{Plane, SeriesFacts};

/// Depths nearer than this are the same place: positions are written with few digits.
const SAME_PLACE_MM: f64 = 0.01;

/// Planes along the normal of the first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stack {
    /// Each place once, from low to high, with the images that lie there.
    pub(crate) places: Vec<Place>,
}

/// One place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    pub(crate) depth_mm: f64,
    /// Indices of its planes.
    pub(crate) images: Vec<usize>,
}

impl Stack {
    /// The stack of a series: of its instances, or of the frames of a multi-frame instance.
    pub(crate) fn of(facts: &SeriesFacts) -> Option<Self> {
        if facts.frames.len() > 1 {
            return Self::of_planes(facts.frames.iter().copied().enumerate());
        }
        let instances = facts.instances.iter().enumerate();
        let planes = instances.filter_map(|(at, instance)| Some((at, instance.plane?)));
        Self::of_planes(planes.collect::<Vec<_>>().into_iter())
    }

    fn of_planes(planes: impl Iterator<Item = (usize, Plane)>) -> Option<Self> {
        let planes: Vec<_> = planes.collect();
        let normal = planes.first()?.1.normal();
        let mut depths: Vec<(f64, usize)> = planes
            .iter()
            .map(|(at, plane)| (plane.depth_along(normal), *at))
            .collect();
        depths.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        let mut places: Vec<Place> = Vec::new();
        for (depth_mm, at) in depths {
            match places.last_mut() {
                Some(place) if depth_mm - place.depth_mm < SAME_PLACE_MM => place.images.push(at),
                _ => places.push(Place {
                    depth_mm,
                    images: vec![at],
                }),
            }
        }
        Some(Self { places })
    }

    /// Distances between neighbouring places.
    pub(crate) fn distances(&self) -> Vec<f64> {
        let pairs = self.places.windows(2);
        pairs
            .map(|pair| pair[1].depth_mm - pair[0].depth_mm)
            .collect()
    }

    /// The median distance.
    pub(crate) fn usual_mm(&self) -> Option<f64> {
        let mut distances = self.distances();
        distances.sort_by(f64::total_cmp);
        distances.get(distances.len() / 2).copied()
    }

    /// How many images lie at most places.
    pub(crate) fn usual_images(&self) -> usize {
        let mut counts: Vec<usize> = self.places.iter().map(|place| place.images.len()).collect();
        counts.sort_unstable();
        counts.get(counts.len() / 2).copied().unwrap_or_default()
    }
}
