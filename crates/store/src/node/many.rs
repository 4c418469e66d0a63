//! Many rows in one statement. A statement costs more to hand over than a row to write, so that batches share them; their
//! sizes are powers of two, so that few texts are ever prepared.

use sqlx::{AnyConnection, any::AnyRow};

use crate::StoreError;

/// Rows in one statement; 20 columns of them stay far below the 32,766 values that SQLite takes.
const MAX_ROWS: usize = 32;
/// Keys that are looked up by one statement.
const MAX_KEYS: usize = 64;

/// Cuts rows into groups whose sizes are powers of two.
pub(super) fn groups<T>(rows: &[T]) -> Vec<&[T]> {
    let (mut groups, mut rest) = (Vec::new(), rows);
    while !rest.is_empty() {
        let size = MAX_ROWS.min(1 << rest.len().ilog2());
        let (group, after) = rest.split_at(size);
        groups.push(group);
        rest = after;
    }
    groups
}

/// `($1, $2), ($3, $4)` for two rows of two columns.
pub(super) fn values(rows: usize, columns: usize) -> String {
    let row = |row: usize| format!("({})", list(row * columns, columns));
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// Rows whose column is one of the keys: `sql` ends where the list of keys begins.
pub(super) async fn select_in(
    connection: &mut AnyConnection,
    sql: &str,
    keys: &[String],
) -> Result<Vec<AnyRow>, StoreError> {
    let mut rows = Vec::new();
    for keys in keys.chunks(MAX_KEYS) {
        // What is missing to a power of two is filled up with a key that is asked for anyway.
        let size = keys.len().next_power_of_two();
        let text = format!("{sql} ({})", list(0, size));
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
        for key in keys.iter().chain(std::iter::repeat(&keys[0])).take(size) {
            query = query.bind(key.clone());
        }
        rows.extend(query.fetch_all(&mut *connection).await?);
    }
    Ok(rows)
}

fn list(after: usize, count: usize) -> String {
    let places = (after + 1..=after + count).map(|place| format!("${place}"));
    places.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{groups, values};

    #[test]
    fn groups_are_powers_of_two_and_hold_everything() {
        let check = |count: usize, expect: &[usize]| {
            let rows: Vec<_> = (0..count).collect();
            let groups = groups(&rows);
            let sizes: Vec<_> = groups.iter().map(|group| group.len()).collect();
            assert_eq!(sizes, expect);
            assert_eq!(groups.concat(), rows);
        };
        check(0, &[]);
        check(1, &[1]);
        check(7, &[4, 2, 1]);
        check(70, &[32, 32, 4, 2]);
        assert_eq!(values(2, 2), "($1, $2), ($3, $4)");
    }
}
