// ioredis-mock, run by the bench `peers`: a JSON array of a command's words a line on standard
// input, `+` or `-` and the error's first line on standard output.
//
//     npm install ioredis ioredis-mock

const { createRequire } = require('node:module');
const readline = require('node:readline');

// From where the bench was started, not from where this file is.
const Redis = createRequire(`${process.cwd()}/`)('ioredis-mock');

async function main() {
  const server = new Redis();
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [command, ...words] = JSON.parse(line);
    try {
      await server[command.toLowerCase()](...words);
      console.log('+');
    } catch (error) {
      console.log('-' + String(error.message).split('\n')[0]);
    }
  }
}

main();
