//! Connected parts of a map of shares.

/// Pixels that hang together, by sides and corners.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Core {
    pub(crate) left: usize,
    pub(crate) top: usize,
    /// Within.
    pub(crate) right: usize,
    /// Within.
    pub(crate) bottom: usize,
    /// Mean share of its pixels.
    pub(crate) mean: f32,
}

impl Core {
    pub(crate) fn width(&self) -> usize {
        self.right - self.left + 1
    }

    pub(crate) fn height(&self) -> usize {
        self.bottom - self.top + 1
    }
}

/// The parts of a map, row by row of `width`, in which every pixel has at least this share.
pub(crate) fn cores(shares: &[f32], width: usize, least: f32) -> Vec<Core> {
    let mut seen = vec![false; shares.len()];
    let mut cores = Vec::new();
    for start in 0..shares.len() {
        if !seen[start] && shares[start] >= least {
            cores.push(core(shares, width, least, start, &mut seen));
        }
    }
    cores
}

fn core(shares: &[f32], width: usize, least: f32, start: usize, seen: &mut [bool]) -> Core {
    let (x, y) = (start % width, start / width);
    let mut core = Core {
        left: x,
        top: y,
        right: x,
        bottom: y,
        mean: 0.0,
    };
    let (mut sum, mut count) = (0.0, 0.0_f32);
    let mut waiting = vec![start];
    seen[start] = true;
    while let Some(at) = waiting.pop() {
        let (x, y) = (at % width, at / width);
        core.left = core.left.min(x);
        core.right = core.right.max(x);
        core.top = core.top.min(y);
        core.bottom = core.bottom.max(y);
        sum += shares[at];
        count += 1.0;
        let rows = y.saturating_sub(1)..=(y + 1).min(shares.len() / width - 1);
        for next in rows.flat_map(|y| {
            (x.saturating_sub(1)..=(x + 1).min(width - 1)).map(move |x| y * width + x)
        }) {
            if !seen[next] && shares[next] >= least {
                seen[next] = true;
                waiting.push(next);
            }
        }
    }
    core.mean = sum / count;
    core
}

#[cfg(test)]
mod tests {
    use super::cores;

    #[test]
    fn pixels_that_touch_hang_together() {
        #[rustfmt::skip]
        let map = [
            0.9, 0.0, 0.0, 0.0, 0.5,
            0.0, 0.7, 0.0, 0.0, 0.5,
            0.0, 0.0, 0.0, 0.1, 0.0,
        ];
        let found = cores(&map, 5, 0.3);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].width(), found[0].height()), (2, 2));
        assert!((found[0].mean - 0.8).abs() < 1e-6);
        assert_eq!((found[1].left, found[1].bottom), (4, 1));
        assert!(cores(&[], 5, 0.3).is_empty());
    }
}
