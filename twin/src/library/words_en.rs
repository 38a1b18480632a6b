//! Words for Western books: LCC and Dewey classes with their subjects, title forms, names.

/// A class of a Western scheme: notation as a book label begins, subjects, and whether it holds fiction.
pub(super) struct Class {
    pub notation: &'static str,
    pub subjects: &'static [&'static str],
    pub fiction: bool,
}

const fn of(notation: &'static str, subjects: &'static [&'static str]) -> Class {
    Class { notation, subjects, fiction: false }
}

const fn fiction(notation: &'static str, subjects: &'static [&'static str]) -> Class {
    Class { notation, subjects, fiction: true }
}

/// Library of Congress classes.
pub(super) const LCC: &[Class] = &[
    of("B105", &["Concepts", "Reason", "Belief"]),
    of("BF311", &["Cognition", "Memory", "Attention"]),
    of("D21", &["World History", "Civilization"]),
    of("DA566.9", &["Modern Britain", "Parliament"]),
    of("DS740.4", &["Modern China", "East Asian Diplomacy"]),
    of("E178", &["American History", "the Republic"]),
    of("G70.212", &["Geographic Information Systems", "Remote Sensing"]),
    of("HB171", &["Economics", "Markets", "Prices"]),
    of("HD30.28", &["Strategy", "Innovation Management"]),
    of("HM585", &["Sociology", "Social Theory"]),
    of("JC423", &["Democracy", "Political Liberty"]),
    of("LB2322", &["University Teaching", "Higher Education"]),
    of("N7420", &["Art", "Visual Culture"]),
    of("P121", &["Linguistics", "Language"]),
    of("PN3331", &["the Novel", "Narrative"]),
    fiction("PR6058", &["River", "Garden", "Winter", "Harbour"]),
    fiction("PS3553", &["Road", "Prairie", "City", "Lighthouse"]),
    of("Q335", &["Artificial Intelligence", "Machine Learning", "Knowledge Representation"]),
    of("QA76.6", &["Programming", "Algorithms", "Data Structures"]),
    of("QA76.73", &["Programming Languages", "Compilers"]),
    of("QA184", &["Linear Algebra", "Matrices"]),
    of("QA303", &["Calculus", "Real Analysis"]),
    of("QC21.3", &["Physics", "Mechanics"]),
    of("QD31.3", &["Chemistry", "Molecular Structure"]),
    of("QH308.2", &["Biology", "Evolution"]),
    of("RA395", &["Public Health", "Health Policy"]),
    of("T57.6", &["Operations Research", "Optimization"]),
    of("TA1634", &["Computer Vision", "Image Processing"]),
    of("TJ211", &["Robotics", "Robot Motion", "Manipulation"]),
    of("TK6570", &["Radio Frequency Identification", "Antennas"]),
    of("Z665", &["Library Science", "Reference Services"]),
    of("Z699", &["Information Retrieval", "Digital Libraries"]),
];

/// Dewey classes.
pub(super) const DDC: &[Class] = &[
    of("004.678", &["the Internet", "Networks"]),
    of("005.133", &["Programming", "Software Design"]),
    of("006.3", &["Artificial Intelligence", "Learning Machines"]),
    of("020.9", &["Libraries", "Librarianship"]),
    of("025.04", &["Information Retrieval", "Search"]),
    of("109", &["Western Philosophy", "Ideas"]),
    of("153.4", &["Thinking", "Cognition"]),
    of("170", &["Ethics", "Moral Choice"]),
    of("301", &["Society", "Sociology"]),
    of("320.011", &["Political Theory", "the State"]),
    of("330.15", &["Economics", "Capitalism"]),
    of("338.064", &["Innovation", "Technology Policy"]),
    of("370.15", &["Educational Psychology", "Learning"]),
    of("401.9", &["Language and Mind", "Psycholinguistics"]),
    of("510", &["Mathematics", "Proof"]),
    of("519.5", &["Statistics", "Bayesian Analysis"]),
    of("523.1", &["Cosmology", "the Universe"]),
    of("530.12", &["Quantum Mechanics", "Quantum Theory"]),
    of("551.6", &["Climate", "Weather"]),
    of("576.8", &["Evolution", "Natural Selection"]),
    of("612.8", &["the Brain", "Neuroscience"]),
    of("620.1", &["Engineering Mechanics", "Materials"]),
    of("629.892", &["Robotics", "Autonomous Vehicles"]),
    of("709", &["Art History", "the Renaissance"]),
    of("720.9", &["Architecture", "Cities"]),
    of("780.9", &["Music", "the Symphony"]),
    of("808.3", &["Fiction Writing", "Storytelling"]),
    fiction("813.54", &["Road", "Prairie", "Diner", "Highway"]),
    fiction("823.914", &["River", "Garden", "Winter", "Orchard"]),
    of("909.82", &["the Twentieth Century", "Global History"]),
    of("941.08", &["Victorian Britain", "Empire"]),
    of("951.05", &["Contemporary China", "Reform"]),
];

/// Title forms of textbooks and studies; `{}` is the subject.
pub(super) const FORMS: &[&str] = &[
    "Introduction to {}",
    "Foundations of {}",
    "A Short History of {}",
    "Principles of {}",
    "{}: Theory and Practice",
    "The Making of {}",
    "Understanding {}",
    "Essays on {}",
    "A Companion to {}",
    "Handbook of {}",
    "{} Reconsidered",
    "Lectures on {}",
    "Readings in {}",
    "Modern Approaches to {}",
    "{}: A Very Brief Guide",
    "The Limits of {}",
    "Problems in {}",
    "{} and Its Critics",
    "Advanced Topics in {}",
    "The Future of {}",
];

/// Title forms of fiction.
pub(super) const FICTION_FORMS: &[&str] = &[
    "The Last {}",
    "A {} in June",
    "The {} Keeper",
    "Letters from the {}",
    "Beyond the {}",
    "The Quiet {}",
    "{} Songs",
    "All the Way to the {}",
    "The {} Year",
    "Children of the {}",
];

/// Edition notes, empty in most books.
pub(super) const EDITIONS: &[&str] = &["", "", "", "", "", "", "", ", 2nd ed.", ", 3rd ed.", ", rev. ed."];

/// Family names.
pub(super) const FAMILIES: &[&str] = &[
    "Adams",
    "Bailey",
    "Baker",
    "Bennett",
    "Brooks",
    "Campbell",
    "Carter",
    "Clarke",
    "Cooper",
    "Davies",
    "Dietrich",
    "Edwards",
    "Evans",
    "Fischer",
    "Fletcher",
    "Garcia",
    "Gibson",
    "Graham",
    "Griffin",
    "Hughes",
    "Ivanov",
    "Jensen",
    "Johansson",
    "Keller",
    "Kumar",
    "Lambert",
    "Larsen",
    "Lewis",
    "Marshall",
    "Meyer",
    "Moreau",
    "Morgan",
    "Nakamura",
    "Novak",
    "O'Brien",
    "Okafor",
    "Olsen",
    "Parker",
    "Patel",
    "Pereira",
    "Quinn",
    "Reid",
    "Richter",
    "Rossi",
    "Russell",
    "Sato",
    "Schmidt",
    "Silva",
    "Stewart",
    "Tanaka",
    "Thompson",
    "Turner",
    "Ueda",
    "Vargas",
    "Wagner",
    "Walsh",
    "Weber",
    "Wright",
    "Young",
    "Zhang",
    "Zimmermann",
];

/// Given names.
pub(super) const GIVEN: &[&str] = &[
    "Alice", "Andrew", "Anna", "Benjamin", "Carla", "Charles", "Claire", "Daniel", "David", "Elena", "Emily",
    "Erik", "Frances", "George", "Hannah", "Helen", "Henry", "Ingrid", "Jack", "Jane", "John", "Julia",
    "Karen", "Laura", "Leo", "Margaret", "Maria", "Martin", "Michael", "Nora", "Oliver", "Paul", "Peter",
    "Rachel", "Robert", "Ruth", "Samuel", "Sarah", "Simon", "Sophie", "Thomas", "Victor", "William",
];
