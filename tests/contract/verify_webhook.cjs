// A foreign implementation verifies the signature that src/webhooks/tests/signature_test.cpp holds our signer to.
const assert = require('node:assert');
const { webhooks } = require('stripe');

const secret = 'whsec_test_secret';
const body = '{"id":"evt_1","type":"payment.succeeded"}';
const mac = '0a731970e30844c135c2ba545c0b030783248e5151afff97d4b4cac22ffa7321';
const header = `t=1700000000,v1=${mac}`;
const received = 1700000000;

const event = webhooks.constructEvent(body, header, secret, 300, undefined, received * 1000);
assert.strictEqual(event.id, 'evt_1');
// During a rotation any of several signatures may match.
webhooks.constructEvent(body, `t=1700000000,v1=${'0'.repeat(64)},v1=${mac}`, secret, 300, undefined, received * 1000);
for (const [what, args] of Object.entries({
  'another body': [body + ' ', header, secret],
  'another secret': [body, header, 'whsec_other'],
  'another time': [body, `t=1700000001,v1=${mac}`, secret],
})) {
  assert.throws(() => webhooks.constructEvent(...args, 300, undefined, received * 1000), /signature/i, what);
}
assert.throws(() => webhooks.constructEvent(body, header, secret, 300, undefined, (received + 301) * 1000), /tolerance/i);
console.log('stripe verifies our signatures');
