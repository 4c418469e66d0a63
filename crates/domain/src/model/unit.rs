//! Conversion between the few units of UCUM that the model's numbers come in. Months and years are
//! those of UCUM, a twelfth of a Julian year and a Julian year.

/// A unit that cannot be turned into the one that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no conversion from {from:?} to {to:?}; write numbers in {to:?} or name one of its kind in the mapping"
)]
pub struct UnitError {
    /// The unit that came.
    pub from: String,
    /// The unit that is wanted.
    pub to: String,
}

/// Unit, what it measures, and how many of the first of its kind it is: numerator and denominator, so that thousandths stay exact.
const UNITS: [(&str, &str, f64, f64); 42] = [
    ("mm", "length", 1.0, 1.0),
    ("cm", "length", 10.0, 1.0),
    ("m", "length", 1000.0, 1.0),
    ("um", "length", 1.0, 1000.0),
    ("[in_i]", "length", 25.4, 1.0),
    ("d", "time", 1.0, 1.0),
    ("h", "time", 1.0, 24.0),
    ("wk", "time", 7.0, 1.0),
    ("mo", "time", 30.4375, 1.0),
    ("a", "time", 365.25, 1.0),
    ("ms", "short time", 1.0, 1.0),
    ("s", "short time", 1000.0, 1.0),
    ("us", "short time", 1.0, 1000.0),
    ("kV", "voltage", 1.0, 1.0),
    ("V", "voltage", 1.0, 1000.0),
    ("mA", "current", 1.0, 1.0),
    ("A", "current", 1000.0, 1.0),
    ("uA", "current", 1.0, 1000.0),
    ("T", "field", 1.0, 1.0),
    ("mT", "field", 1.0, 1000.0),
    ("G", "field", 1.0, 10000.0),
    ("s/mm2", "diffusion", 1.0, 1.0),
    ("ms/um2", "diffusion", 1000.0, 1.0),
    ("MBq", "activity", 1.0, 1.0),
    ("Bq", "activity", 1.0, 1e6),
    ("kBq", "activity", 1.0, 1000.0),
    ("GBq", "activity", 1000.0, 1.0),
    ("mCi", "activity", 37.0, 1.0),
    ("Gy", "dose", 1.0, 1.0),
    ("cGy", "dose", 1.0, 100.0),
    ("mGy", "dose", 1.0, 1000.0),
    ("ng/mL", "concentration", 1.0, 1.0),
    ("ug/L", "concentration", 1.0, 1.0),
    ("ng/L", "concentration", 1.0, 1000.0),
    ("pg/mL", "concentration", 1.0, 1000.0),
    ("ug/mL", "concentration", 1000.0, 1.0),
    ("mg/L", "concentration", 1000.0, 1.0),
    ("%", "part", 1.0, 1.0),
    ("1", "part", 100.0, 1.0),
    ("deg", "angle", 1.0, 1.0),
    ("kg", "mass", 1.0, 1.0),
    ("g", "mass", 1.0, 1000.0),
];

/// Units that measure the same, this one first.
pub fn units_like(unit: &str) -> impl Iterator<Item = &'static str> {
    let own = UNITS.iter().find(|(name, ..)| *name == unit);
    let others = UNITS
        .iter()
        .filter(move |(name, kind, ..)| own.is_some_and(|(own, of, ..)| kind == of && name != own));
    own.into_iter().chain(others).map(|(name, ..)| *name)
}

/// The number in another unit.
///
/// # Errors
/// [`UnitError`] when the two do not measure the same, or one is not known.
pub fn convert(number: f64, from: &str, to: &str) -> Result<f64, UnitError> {
    if from == to {
        return Ok(number);
    }
    let of = |unit: &str| UNITS.iter().find(|(name, ..)| *name == unit);
    match (of(from), of(to)) {
        (Some((_, kind, up, down)), Some((_, wanted, to_up, to_down))) if kind == wanted => {
            Ok(number * (up * to_down) / (down * to_up))
        }
        _ => Err(UnitError {
            from: from.to_owned(),
            to: to.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::convert;

    fn check(number: f64, from: &str, to: &str, expect: Option<f64>) {
        assert_eq!(convert(number, from, to).ok(), expect, "{from} to {to}");
    }

    #[test]
    fn units_convert_within_their_kind() {
        check(1.25, "mm", "mm", Some(1.25));
        check(0.125, "cm", "mm", Some(1.25));
        check(2.5, "mm", "cm", Some(0.25));
        check(2.0, "[in_i]", "mm", Some(50.8));
        check(30000.0, "G", "T", Some(3.0));
        check(10.0, "mCi", "MBq", Some(370.0));
        check(2.0, "a", "d", Some(730.5));
        check(0.3, "1", "%", Some(30.0));
        check(3.0, "kg", "mm", None);
        check(3.0, "parsec", "mm", None);
        check(3.0, "", "", Some(3.0));
    }
}
