// compile.cjs CONTRACT.sol: the creation code that the settings below give, in hexadecimal. What contracts/*.bin holds.
const fs = require('fs');
const path = require('path');
const solc = require('solc');

const name = path.basename(process.argv[2], '.sol');
const input = {
  language: 'Solidity',
  sources: {[name]: {content: fs.readFileSync(process.argv[2], 'utf8')}},
  settings: {
    // The oldest rules that all chains have; no metadata, so that the same text gives the same code in any folder.
    evmVersion: 'paris',
    optimizer: {enabled: true, runs: 200},
    metadata: {appendCBOR: false, bytecodeHash: 'none'},
    outputSelection: {'*': {'*': ['evm.bytecode.object', 'evm.methodIdentifiers']}},
  },
};
const output = JSON.parse(solc.compile(JSON.stringify(input)));
for (const problem of output.errors ?? []) console.error(problem.formattedMessage);
if ((output.errors ?? []).length > 0) process.exit(1);
const compiled = output.contracts[name][name];
if (process.argv[3] === '--selectors') console.log(JSON.stringify(compiled.evm.methodIdentifiers));
else console.log(compiled.evm.bytecode.object);
