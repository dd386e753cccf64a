// Prints the syntax errors of Apex classes, a line each: the file, where, and what.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.env.APEX_PARSER_FOLDER, "index.js"));
const { ApexErrorListener, ApexParserFactory } = require("@apexdevtools/apex-parser");

for (const file of process.argv.slice(2)) {
  class Listener extends ApexErrorListener {
    apexSyntaxError(line, column, message) {
      console.log(`${file}:${line}:${column} ${message}`);
    }
  }
  const source = readFileSync(file, "utf8");
  const { parser } = ApexParserFactory.createLexerAndParser(source, new Listener());
  parser.compilationUnit();
}
