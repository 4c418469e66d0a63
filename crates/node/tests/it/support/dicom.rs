//! DICOM files for tests, encoded byte by byte in Explicit VR Little Endian (PS3.5 section 7.1), full of planted identities.

/// Rows and columns of the test images.
pub(crate) const EDGE: u16 = 16;

/// Somebody who must not be found again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) id: &'static str,
    pub(crate) birth: &'static str,
    pub(crate) sex: &'static str,
    pub(crate) age: &'static str,
}

pub(crate) const MEIER: Person = Person {
    name: "Meierhofer^Anneliese",
    id: "HN-4711-X",
    birth: "19531224",
    sex: "F",
    age: "071Y",
};
/// Four more, in their twenties.
pub(crate) const OTHERS: [Person; 4] = [
    other("HN-1", "F"),
    other("HN-2", "M"),
    other("HN-3", "F"),
    other("HN-4", "M"),
];

const fn other(id: &'static str, sex: &'static str) -> Person {
    Person {
        name: "Sonst^Wer",
        id,
        birth: "20010101",
        sex,
        age: "024Y",
    }
}

pub(crate) const NOVAK: Person = Person {
    name: "Novotny^Zdenek",
    id: "HN-0815-Y",
    birth: "19610704",
    sex: "M",
    age: "064Y",
};

/// What stands in the files and nowhere else.
pub(crate) const PLANTED: [&str; 9] = [
    "Meierhofer",
    "Anneliese",
    "HN-4711-X",
    "19531224",
    "Novotny",
    "HN-0815-Y",
    "Zuweiser",
    "Spital Sankt Planted",
    "1.2.826.0.1.99",
];

/// One CT slice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slice {
    pub(crate) person: Person,
    pub(crate) study: u32,
    pub(crate) series: u32,
    pub(crate) number: u32,
}

impl Slice {
    pub(crate) fn study_uid(&self) -> String {
        format!("1.2.826.0.1.99.{}", self.study)
    }

    pub(crate) fn series_uid(&self) -> String {
        format!("{}.{}", self.study_uid(), self.series)
    }

    pub(crate) fn instance_uid(&self) -> String {
        format!("{}.{}", self.series_uid(), self.number)
    }

    /// Position along the patient in mm.
    pub(crate) fn z_mm(&self) -> f64 {
        -100.0 + 2.5 * f64::from(self.number)
    }

    /// 16-bit samples that differ from slice to slice.
    pub(crate) fn pixels(&self) -> Vec<u8> {
        let samples = u32::from(EDGE) * u32::from(EDGE);
        (0..samples)
            .flat_map(|at| ((at * 31 + self.number * 977) as i16).to_le_bytes())
            .collect()
    }

    /// The Part 10 file.
    pub(crate) fn file(&self) -> Vec<u8> {
        let mut set = self.head(CT, "CT", "Thorax nativ");
        set.extend(text(0x0018_0015, "CS", "CHEST"));
        set.extend(text(0x0018_0050, "DS", "2.5"));
        set.extend(self.identifiers(self.series_uid()));
        set.extend(text(0x0020_0013, "IS", &self.number.to_string()));
        set.extend(text(
            0x0020_0032,
            "DS",
            &format!("-10\\-20\\{}", self.z_mm()),
        ));
        set.extend(text(0x0020_0037, "DS", "1\\0\\0\\0\\1\\0"));
        set.extend(number(0x0028_0002, 1));
        set.extend(text(0x0028_0004, "CS", "MONOCHROME2"));
        set.extend(number(0x0028_0010, EDGE));
        set.extend(number(0x0028_0011, EDGE));
        set.extend(text(0x0028_0030, "DS", "2\\2"));
        for (tag, value) in [
            (0x0028_0100, 16),
            (0x0028_0101, 16),
            (0x0028_0102, 15),
            (0x0028_0103, 1),
        ] {
            set.extend(number(tag, value));
        }
        set.extend(text(0x0028_1052, "DS", "-1024"));
        set.extend(text(0x0028_1053, "DS", "1"));
        set.extend(long(0x7FE0_0010, "OW", &self.pixels()));
        part_10(CT, &self.instance_uid(), &set)
    }

    /// A structure set of one square on this slice.
    pub(crate) fn structure_set(&self) -> Vec<u8> {
        let uid = format!("{}.900", self.study_uid());
        let mut set = self.head_of(RTSTRUCT, &format!("{uid}.1"), "RTSTRUCT", "Strukturen");
        set.extend(self.identifiers(uid.clone()));
        let roi = [
            text(0x3006_0022, "IS", "1"),
            text(0x3006_0026, "LO", "GTV-1"),
        ]
        .concat();
        set.extend(long(0x3006_0020, "SQ", &item(&roi)));
        let image = [
            text(0x0008_1150, "UI", CT),
            text(0x0008_1155, "UI", &self.instance_uid()),
        ]
        .concat();
        let z = self.z_mm();
        let contour = [
            long(0x3006_0016, "SQ", &item(&image)),
            text(0x3006_0042, "CS", "CLOSED_PLANAR"),
            text(0x3006_0046, "IS", "4"),
            text(
                0x3006_0050,
                "DS",
                &format!("-10\\-20\\{z}\\-2\\-20\\{z}\\-2\\-12\\{z}\\-10\\-12\\{z}"),
            ),
        ];
        let contours = [
            text(0x3006_002A, "IS", "255\\0\\0"),
            long(0x3006_0040, "SQ", &item(&contour.concat())),
            text(0x3006_0084, "IS", "1"),
        ];
        set.extend(long(0x3006_0039, "SQ", &item(&contours.concat())));
        part_10(RTSTRUCT, &format!("{uid}.1"), &set)
    }

    fn head(&self, class: &str, modality: &str, description: &str) -> Vec<u8> {
        self.head_of(class, &self.instance_uid(), modality, description)
    }

    pub(crate) fn head_of(
        &self,
        class: &str,
        instance: &str,
        modality: &str,
        description: &str,
    ) -> Vec<u8> {
        let person = self.person;
        [
            text(0x0008_0005, "CS", "ISO_IR 100"),
            text(0x0008_0008, "CS", "ORIGINAL\\PRIMARY\\AXIAL"),
            text(0x0008_0016, "UI", class),
            text(0x0008_0018, "UI", instance),
            text(0x0008_0020, "DA", "20250312"),
            text(0x0008_0060, "CS", modality),
            text(0x0008_0070, "LO", "SIEMENS"),
            text(0x0008_0080, "LO", "Spital Sankt Planted"),
            text(0x0008_0090, "PN", "Zuweiser^Egon"),
            text(0x0008_103E, "LO", description),
            text(0x0010_0010, "PN", person.name),
            text(0x0010_0020, "LO", person.id),
            text(0x0010_0030, "DA", person.birth),
            text(0x0010_0040, "CS", person.sex),
            text(0x0010_1010, "AS", person.age),
            text(
                0x0010_4000,
                "LT",
                &format!("{} kommt wieder, Zuweiser informiert", person.name),
            ),
        ]
        .concat()
    }

    pub(crate) fn identifiers(&self, series: String) -> Vec<u8> {
        [
            text(0x0020_000D, "UI", &self.study_uid()),
            text(0x0020_000E, "UI", &series),
        ]
        .concat()
    }
}

/// An image of 8-bit samples that is no slice, in the series of one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Picture {
    pub(crate) slice: Slice,
    pub(crate) class: &'static str,
    pub(crate) modality: &'static str,
    pub(crate) frames: u16,
}

impl Picture {
    /// Samples that are never black, frame after frame.
    pub(crate) fn pixels(&self) -> Vec<u8> {
        let samples = u32::from(EDGE) * u32::from(EDGE) * u32::from(self.frames);
        (0..samples)
            .map(|at| 1 + ((at * 7 + self.slice.number * 91) % 255) as u8)
            .collect()
    }

    /// The Part 10 file.
    pub(crate) fn file(&self) -> Vec<u8> {
        self.file_with(&[])
    }

    /// The same with elements of group 0018.
    pub(crate) fn file_with(&self, elements: &[u8]) -> Vec<u8> {
        let slice = self.slice;
        let mut set = slice.head(self.class, self.modality, "Sono Abdomen");
        set.extend(elements);
        set.extend(slice.identifiers(slice.series_uid()));
        set.extend(text(0x0020_0013, "IS", &slice.number.to_string()));
        set.extend(number(0x0028_0002, 1));
        set.extend(text(0x0028_0004, "CS", "MONOCHROME2"));
        set.extend(text(0x0028_0008, "IS", &self.frames.to_string()));
        for (tag, value) in [
            (0x0028_0010, EDGE),
            (0x0028_0011, EDGE),
            (0x0028_0100, 8),
            (0x0028_0101, 8),
            (0x0028_0102, 7),
            (0x0028_0103, 0),
        ] {
            set.extend(number(tag, value));
        }
        set.extend(long(0x7FE0_0010, "OB", &self.pixels()));
        part_10(self.class, &slice.instance_uid(), &set)
    }
}

pub(crate) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const RTSTRUCT: &str = "1.2.840.10008.5.1.4.1.1.481.3";
const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";

/// A series of slices with numbers from 1.
pub(crate) fn series(person: Person, study: u32, series: u32, slices: u32) -> Vec<Slice> {
    (1..=slices)
        .map(|number| Slice {
            person,
            study,
            series,
            number,
        })
        .collect()
}

/// Preamble, file meta information and a data set.
pub(crate) fn part_10(class: &str, instance: &str, set: &[u8]) -> Vec<u8> {
    let meta = [
        text(0x0002_0002, "UI", class),
        text(0x0002_0003, "UI", instance),
        text(0x0002_0010, "UI", EXPLICIT_LITTLE),
    ]
    .concat();
    let length = short(0x0002_0000, "UL", &(meta.len() as u32).to_le_bytes());
    [&[0; 128][..], b"DICM", &length, &meta, set].concat()
}

fn tag(tag: u32) -> [u8; 4] {
    let (group, element) = ((tag >> 16) as u16, tag as u16);
    [group.to_le_bytes(), element.to_le_bytes()]
        .concat()
        .try_into()
        .unwrap()
}

fn short(of: u32, vr: &str, value: &[u8]) -> Vec<u8> {
    [
        &tag(of)[..],
        vr.as_bytes(),
        &(value.len() as u16).to_le_bytes(),
        value,
    ]
    .concat()
}

pub(crate) fn long(of: u32, vr: &str, value: &[u8]) -> Vec<u8> {
    [
        &tag(of)[..],
        vr.as_bytes(),
        &[0, 0],
        &(value.len() as u32).to_le_bytes(),
        value,
    ]
    .concat()
}

pub(crate) fn text(of: u32, vr: &str, value: &str) -> Vec<u8> {
    let mut value = value.as_bytes().to_vec();
    if value.len() % 2 == 1 {
        value.push(if vr == "UI" { 0 } else { b' ' });
    }
    short(of, vr, &value)
}

pub(crate) fn number(of: u32, value: u16) -> Vec<u8> {
    short(of, "US", &value.to_le_bytes())
}

pub(crate) fn item(content: &[u8]) -> Vec<u8> {
    [
        &[0xFE, 0xFF, 0x00, 0xE0][..],
        &(content.len() as u32).to_le_bytes(),
        content,
    ]
    .concat()
}
