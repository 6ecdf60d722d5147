//! Changes in headers: written as one text, and read back the same.

use access_relay_core::messages::edits::{Edit, Edits};
use access_relay_core::messages::name::Name;
use proptest::prelude::*;

fn edit() -> impl Strategy<Value = (u8, usize, String)> {
    (0..5_u8, 0..Name::ALL.len(), "[ -~à-ÿ]{0,12}")
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(url in "[ -~]{0,20}", edits in prop::collection::vec(edit(), 0..12)) {
        let edits: Vec<Edit> = edits.iter().map(|(kind, name, text)| {
            let name = Name::ALL[*name];
            match kind {
                0 => Edit::Delete(text),
                1 => Edit::Remove(name),
                2 => Edit::RemoveAll(text),
                3 => Edit::Set(name, text),
                _ => Edit::Append(name, text),
            }
        }).collect();
        let mut written = Edits::to(&url);
        written.extend(edits.iter().copied());
        prop_assert_eq!(written.url(), url);
        prop_assert_eq!(written.iter().collect::<Vec<_>>(), edits.clone());
        for name in Name::ALL {
            let set = edits.iter().any(|edit| matches!(edit, Edit::Set(set, _) if set == name));
            prop_assert_eq!(written.names_set().has(*name), set);
        }
    }
}

#[test]
fn removals_share_a_line() {
    let edits = [Edit::Remove(Name::Cookie), Edit::Remove(Name::Vary), Edit::Delete("a"), Edit::Remove(Name::Origin)];
    let [cookie, vary, origin] = [Name::Cookie, Name::Vary, Name::Origin].map(Name::place);
    assert_eq!(Edits::from_iter(edits).as_str(), format!("\n-{cookie}{vary}\n~a\n-{origin}"));
}

#[test]
fn a_line_break_becomes_no_line_of_its_own() {
    for value in ["\n", "a\n=0b", "a\n-0", "\n~host"] {
        let edits = [
            Edit::Set(Name::Cookie, value),
            Edit::Append(Name::Vary, value),
            Edit::Delete(value),
            Edit::RemoveAll(value),
        ];
        let edits = Edits::from_iter(edits);
        assert_eq!(
            edits.iter().collect::<Vec<_>>(),
            [Edit::Remove(Name::Cookie), Edit::Remove(Name::Vary)],
            "{value:?}"
        );
        assert!(!edits.names_set().has(Name::Cookie));
    }
}
