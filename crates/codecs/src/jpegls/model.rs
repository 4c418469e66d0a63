//! The model of JPEG-LS: parameters, contexts, prediction and Golomb codes (ITU-T T.87 annex A).

use super::bits::Bits;
use super::segments::Preset;
use crate::DecodeError;

/// Contexts of the regular mode (T.87 A.3.4).
const CONTEXTS: usize = 365;

/// Bounds of a context's prediction correction (T.87 A.2.1).
const CORRECTION: std::ops::RangeInclusive<i32> = -128..=127;

/// Length of runs as a power of two (T.87 A.2.1, `J`).
pub(super) const RUN_BITS: [u32; 32] = [
    0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13,
    14, 15,
];

/// What a scan is coded with (T.87 A.2.1 and C.2.4.1.1.1).
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameters {
    pub(super) max_value: i32,
    /// Greatest error of a sample; 0 is lossless.
    pub(super) near: i32,
    /// Distance of two representable errors.
    step: i32,
    /// Number of representable errors.
    range: i32,
    /// Bits of an error that is coded as it is.
    escape_bits: u32,
    /// Longest code.
    pub(super) limit: u32,
    thresholds: [i32; 3],
    reset: i32,
}

impl Parameters {
    /// `None` where the standard allows no such thing.
    pub(super) fn new(precision: u8, near: u8, preset: &Preset) -> Option<Self> {
        if !(2..=16).contains(&precision) {
            return None;
        }
        let most = (1 << precision) - 1;
        let max_value = or_default(preset.max_value, most);
        let near = i32::from(near);
        if max_value > most || near > max_value / 2 {
            return None;
        }
        let step = 2 * near + 1;
        let range = (max_value + 2 * near) / step + 1;
        let bits = bits_for(max_value + 1).max(2);
        let reset = or_default(preset.reset, 64);
        let thresholds = thresholds(max_value, near, preset.thresholds);
        let rising = thresholds.is_sorted() && thresholds[0] > near && thresholds[2] <= max_value;
        (rising && reset >= 3).then_some(Self {
            max_value,
            near,
            step,
            range,
            escape_bits: bits_for(range),
            limit: 2 * (bits + bits.max(8)),
            thresholds,
            reset,
        })
    }

    /// A gradient as one of nine regions, -4 to 4 (T.87 A.3.3).
    pub(super) fn region(&self, gradient: i32) -> i32 {
        let size = gradient.abs();
        let region = match self.thresholds {
            _ if size <= self.near => 0,
            [first, ..] if size < first => 1,
            [_, second, _] if size < second => 2,
            [_, _, third] if size < third => 3,
            _ => 4,
        };
        region * gradient.signum()
    }

    /// The sample from its prediction and error (T.87 A.4.4 and A.4.5).
    pub(super) fn sample(&self, prediction: i32, error: i32) -> i32 {
        let value = prediction + error * self.step;
        let span = self.range * self.step;
        let wrapped = if value < -self.near {
            value + span
        } else if value > self.max_value + self.near {
            value - span
        } else {
            value
        };
        wrapped.clamp(0, self.max_value)
    }

    /// A mapped error: Golomb code of order `k`, at most `limit` bits (T.87 A.5.3).
    fn mapped(&self, bits: &mut Bits, k: u32, limit: u32) -> Result<i32, DecodeError> {
        let escape = limit.saturating_sub(self.escape_bits + 1);
        let high = bits.zeros(escape).ok_or(DecodeError::Damaged)?;
        let value = if high < escape {
            high << k | bits.read(k)
        } else {
            bits.read(self.escape_bits) + 1
        };
        Ok(value.cast_signed())
    }
}

fn or_default(value: u16, default: i32) -> i32 {
    match value {
        0 => default,
        value => i32::from(value),
    }
}

/// Bits that count up to below `values`.
fn bits_for(values: i32) -> u32 {
    (values - 1)
        .max(0)
        .cast_unsigned()
        .checked_ilog2()
        .map_or(0, |bits| bits + 1)
}

/// Preset thresholds, or the defaults of T.87 C.2.4.1.1.1.
fn thresholds(max_value: i32, near: i32, preset: [u16; 3]) -> [i32; 3] {
    const BASIC: [i32; 3] = [3, 7, 21];
    let factor = if max_value >= 128 {
        (max_value.min(4095) + 128) / 256
    } else {
        256 / (max_value + 1)
    };
    let mut least = near + 1;
    let mut result = [0; 3];
    for (at, (basic, weight)) in BASIC.into_iter().zip([3, 5, 7]).enumerate() {
        let floor = 2 + i32::try_from(at).unwrap_or(0);
        let plain = if max_value >= 128 {
            factor * (basic - floor) + floor + weight * near
        } else {
            floor.max(basic / factor + weight * near)
        };
        let default = if plain > max_value || plain < least {
            least
        } else {
            plain
        };
        result[at] = or_default(preset[at], default);
        least = result[at];
    }
    result
}

/// What was learnt of a context of the regular mode (T.87 A.2.1: A, B, C, N).
#[derive(Debug, Clone, Copy)]
struct Context {
    size: i32,
    bias: i32,
    correction: i32,
    count: i32,
}

/// What was learnt of the ends of runs (T.87 A.7.2: A, N, Nn).
#[derive(Debug, Clone, Copy)]
struct RunContext {
    size: i32,
    count: i32,
    negative: i32,
}

/// All contexts of a scan.
pub(super) struct Model {
    parameters: Parameters,
    regular: Vec<Context>,
    run: [RunContext; 2],
}

impl Model {
    pub(super) fn new(parameters: Parameters) -> Self {
        let size = ((parameters.range + 32) / 64).max(2);
        let context = Context {
            size,
            bias: 0,
            correction: 0,
            count: 1,
        };
        let run = RunContext {
            size,
            count: 1,
            negative: 0,
        };
        Self {
            parameters,
            regular: vec![context; CONTEXTS],
            run: [run; 2],
        }
    }

    /// A sample in the regular mode; `context` is the number of its region, -364 to 364 (T.87 A.4 to A.6).
    pub(super) fn regular(
        &mut self,
        bits: &mut Bits,
        context: i32,
        prediction: i32,
    ) -> Result<i32, DecodeError> {
        let parameters = self.parameters;
        let sign = if context < 0 { -1 } else { 1 };
        let context = &mut self.regular[context.unsigned_abs() as usize];
        let corrected = (prediction + sign * context.correction).clamp(0, parameters.max_value);
        let k = order(context.count, context.size);
        let mapped = parameters.mapped(bits, k, parameters.limit)?;
        let folded = if mapped & 1 == 0 {
            mapped >> 1
        } else {
            -((mapped + 1) >> 1)
        };
        let turned = parameters.near == 0 && k == 0 && 2 * context.bias <= -context.count;
        let error = if turned { -folded - 1 } else { folded };
        context.learn(error, &parameters);
        Ok(parameters.sample(corrected, sign * error))
    }

    /// The sample that ends a run (T.87 A.7.2). With `alike` its neighbours are alike, and the one to the left predicts.
    pub(super) fn run_end(
        &mut self,
        bits: &mut Bits,
        (left, above): (i32, i32),
        alike: bool,
        run_bits: u32,
    ) -> Result<i32, DecodeError> {
        let parameters = self.parameters;
        let kind = i32::from(alike);
        let context = &mut self.run[usize::from(alike)];
        let size = context.size + if alike { context.count >> 1 } else { 0 };
        let k = order(context.count, size);
        let limit = parameters.limit.saturating_sub(run_bits + 1);
        let mapped = parameters.mapped(bits, k, limit)?;
        let folded = mapped + kind;
        let odd = folded & 1 == 1;
        let half = (folded + 1) >> 1;
        let negative = (k != 0 || 2 * context.negative >= context.count) == odd;
        let error = if negative { -half } else { half };
        context.learn(error, mapped, kind, parameters.reset);
        let (prediction, sign) = match alike {
            true => (left, 1),
            false if left > above => (above, -1),
            false => (above, 1),
        };
        Ok(parameters.sample(prediction, sign * error))
    }
}

/// The order of the Golomb code (T.87 A.5.1).
fn order(count: i32, size: i32) -> u32 {
    // Sizes stay below 2^23: at most `reset` errors of 16 bits; the bound keeps the shift defined whatever was preset.
    (0..24).find(|k| count << k >= size).unwrap_or(24)
}

impl Context {
    /// T.87 A.6.
    fn learn(&mut self, error: i32, parameters: &Parameters) {
        self.bias += error * parameters.step;
        self.size += error.abs();
        if self.count == parameters.reset {
            self.size >>= 1;
            self.bias >>= 1;
            self.count >>= 1;
        }
        self.count += 1;
        if self.bias <= -self.count {
            self.bias = (self.bias + self.count).max(1 - self.count);
            self.correction = (self.correction - 1).max(*CORRECTION.start());
        } else if self.bias > 0 {
            self.bias = (self.bias - self.count).min(0);
            self.correction = (self.correction + 1).min(*CORRECTION.end());
        }
    }
}

impl RunContext {
    /// T.87 A.7.2.2, figure A.23.
    fn learn(&mut self, error: i32, mapped: i32, kind: i32, reset: i32) {
        if error < 0 {
            self.negative += 1;
        }
        self.size += (mapped + 1 - kind) >> 1;
        if self.count == reset {
            self.size >>= 1;
            self.count >>= 1;
            self.negative >>= 1;
        }
        self.count += 1;
    }
}

/// The median edge detector (T.87 A.4.1).
pub(super) fn predict(left: i32, above: i32, corner: i32) -> i32 {
    let (low, high) = (left.min(above), left.max(above));
    if corner >= high {
        low
    } else if corner <= low {
        high
    } else {
        left + above - corner
    }
}
