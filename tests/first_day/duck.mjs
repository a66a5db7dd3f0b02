// duck.mjs MODULES SQL: runs the statements of a file in DuckDB and prints, as JSON, the rows of those that have some.
import {createRequire} from 'node:module';
import {readFileSync} from 'node:fs';

const require = createRequire(`${process.argv[2]}/package.json`);
const {DuckDBInstance} = require('@duckdb/node-api');
const connection = await (await DuckDBInstance.create(':memory:')).connect();
await connection.run("SET TimeZone = 'UTC'");
const results = [];
for (const statement of readFileSync(process.argv[3], 'utf8').split(/;\s*(?:\n|$)/).filter((s) => s.trim())) {
  const reader = await connection.runAndReadAll(statement);
  results.push(reader.getRows().map((row) => row.map((value) => (value === null ? null : String(value)))));
}
console.log(JSON.stringify(results));
