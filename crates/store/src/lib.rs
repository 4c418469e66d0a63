//! SQL, migrations, series packs, audit log. The only writer of SQL.
