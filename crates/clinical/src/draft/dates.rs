//! Dates as tables write them. A style is stated, never guessed from one cell: 03/04/2020 is two days.

use chrono::NaiveDate;

/// How a date is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateStyle {
    /// 2020-01-31.
    Iso,
    /// 20200131, as DICOM does.
    Compact,
    /// Day, month, year, with `.`, `-` or `/` between.
    Dmy,
    /// Month, day, year.
    Mdy,
    /// Year, month, day.
    Ymd,
}

impl DateStyle {
    /// The style of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "iso" => Self::Iso,
            "compact" => Self::Compact,
            "dmy" => Self::Dmy,
            "mdy" => Self::Mdy,
            "ymd" => Self::Ymd,
            _ => return None,
        })
    }

    /// The date, if the text is written so. A time of day behind it is left out.
    #[must_use]
    pub fn parse(self, text: &str) -> Option<NaiveDate> {
        let text = text.split([' ', 'T']).next()?;
        let parts = |separators: &[char]| -> Option<[u32; 3]> {
            let parts: Option<Vec<u32>> = text.split(separators).map(whole).collect();
            parts?.try_into().ok()
        };
        let (year, month, day) = match self {
            Self::Compact => {
                let number = whole(text).filter(|_| text.len() == 8)?;
                (number / 10_000, number / 100 % 100, number % 100)
            }
            Self::Iso => {
                let [year, month, day] = parts(&['-'])?;
                (year, month, day)
            }
            Self::Ymd => {
                let [year, month, day] = parts(&['.', '-', '/'])?;
                (year, month, day)
            }
            Self::Dmy => {
                let [day, month, year] = parts(&['.', '-', '/'])?;
                (year, month, day)
            }
            Self::Mdy => {
                let [month, day, year] = parts(&['.', '-', '/'])?;
                (year, month, day)
            }
        };
        // Two digits of a year are as good as none.
        let year = i32::try_from(year)
            .ok()
            .filter(|year| (1000..=9999).contains(year))?;
        NaiveDate::from_ymd_opt(year, month, day)
    }
}

fn whole(text: &str) -> Option<u32> {
    let is_number =
        !text.is_empty() && text.len() <= 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::DateStyle;

    #[test]
    fn a_style_reads_its_own_dates_and_no_others() {
        let check = |style: &str, text: &str, expect: Option<&str>| {
            let date = DateStyle::from_name(style).unwrap().parse(text);
            assert_eq!(
                date.map(|date| date.to_string()).as_deref(),
                expect,
                "{style} {text}"
            );
        };
        check("iso", "2020-01-31", Some("2020-01-31"));
        check("iso", "2020-01-31T10:00:00Z", Some("2020-01-31"));
        check("iso", "31.01.2020", None);
        check("compact", "20200131", Some("2020-01-31"));
        check("compact", "2020013", None);
        check("dmy", "31.1.2020", Some("2020-01-31"));
        check("dmy", "03/04/2020", Some("2020-04-03"));
        check("mdy", "03/04/2020", Some("2020-03-04"));
        check("mdy", "31/01/2020", None);
        check("ymd", "2020/01/31", Some("2020-01-31"));
        check("dmy", "31.1.20", None);
        check("iso", "2020-02-30", None);
        check("iso", "", None);
    }
}
