/** The demo's HTTP responder, without a network: bytes in, bytes out. */
import test from 'ava';
import { HttpHandler } from '../../examples/demo/http.js';

interface Exchange {
  readonly text: string;
  /** Status codes of the answers, in order. */
  readonly statuses: number[];
  readonly last: boolean;
}

function exchange(...pieces: string[]): Exchange {
  const handler = new HttpHandler();
  let [text, last] = ['', false];
  for (const piece of pieces) {
    const reply = handler.receive(Buffer.from(piece, 'latin1'));
    text += Buffer.from(reply.bytes).toString('latin1');
    last = reply.last;
  }
  return { text, statuses: [...text.matchAll(/^HTTP\/1\.1 (\d+) /gm)].map((match) => Number(match[1])), last };
}

const HOST = 'Host: demo\r\n';
const GET = `GET / HTTP/1.1\r\n${HOST}\r\n`;

test('an answer is framed by its Content-Length and keeps the connection', (t) => {
  const { text, last } = exchange(GET);
  const [head = '', body = ''] = text.split('\r\n\r\n');
  t.regex(head, /^HTTP\/1\.1 200 OK\r\n/);
  t.is(Number(/^Content-Length: (\d+)$/m.exec(head)?.[1]), body.length);
  t.regex(head, /^Connection: keep-alive$/m);
  t.regex(head, /^Date: .* GMT$/m);
  t.false(last);
});

test('a HEAD is answered like a GET without the body', (t) => {
  const withoutDate = (text: string) => text.replace(/^Date: .*$/m, 'Date:');
  const get = withoutDate(exchange(GET).text);
  t.is(withoutDate(exchange(GET.replace('GET', 'HEAD')).text), get.slice(0, get.indexOf('\r\n\r\n') + 4));
  t.true(exchange('HEAD / HTTP/1.1\r\n\r\n').text.endsWith('\r\n\r\n'), 'also when it is refused');
});

test('pipelined requests are answered in order', (t) => {
  t.deepEqual(exchange(GET + GET.replace('/', '/nowhere') + GET).statuses, [200, 404, 200]);
});

test('a request may come byte by byte', (t) => {
  const requests = `${GET}POST / HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\n01234${GET}`;
  t.deepEqual(exchange(...requests).statuses, [200, 405, 200]);
});

test('no answer before the request is complete', (t) => {
  t.deepEqual(exchange(GET.slice(0, -1)), { text: '', statuses: [], last: false });
});

test('a body is skipped, though it looks like a request', (t) => {
  const post = `POST / HTTP/1.1\r\n${HOST}Content-Length: ${GET.length}\r\n\r\n`;
  const { statuses, text } = exchange(post, GET, GET.replace('/', '/nowhere'));
  t.deepEqual(statuses, [405, 404]);
  t.regex(text, /^Allow: GET, HEAD\r$/m);
});

const TARGETS: [string, number][] = [
  ['/', 200],
  ['/?a=b', 200],
  ['http://demo/', 200],
  ['http://demo', 200],
  ['http://demo?a=b', 200],
  ['//', 404],
  ['/nowhere', 404],
  ['*', 404],
];
for (const [target, status] of TARGETS) {
  test(`the target ${target} is answered with ${status}`, (t) => {
    t.deepEqual(exchange(`GET ${target} HTTP/1.1\r\n${HOST}\r\n`).statuses, [status]);
  });
}

const ENDING: [string, string, number][] = [
  ['Connection: close', `GET / HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`, 200],
  ['Connection: close among others, in capitals', `GET / HTTP/1.1\r\n${HOST}Connection: TE , Close\r\n\r\n`, 200],
  ['HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', 200],
  ['HTTP/1.0, typed with bare line feeds', 'GET / HTTP/1.0\n\n', 200],
  ['another major version', `GET / HTTP/2.0\r\n${HOST}\r\n`, 505],
  ['no HTTP', 'hello\r\n\r\n', 400],
  ['a blank too many', `GET  / HTTP/1.1\r\n${HOST}\r\n`, 400],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['two Hosts', `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`, 400],
  ['a blank before the colon', `GET / HTTP/1.1\r\n${HOST}Connection : close\r\n\r\n`, 400],
  ['a folded line', `GET / HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n`, 400],
  ['a control character', `GET / HTTP/1.1\r\n${HOST}X: \0\r\n\r\n`, 400],
  ['a length that is none', `GET / HTTP/1.1\r\n${HOST}Content-Length: -1\r\n\r\n`, 400],
  ['two lengths', `GET / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400],
  ['a transfer coding', `GET / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 501],
  ['a POST in a transfer coding', `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 405],
  ['an expectation', `POST / HTTP/1.1\r\n${HOST}Content-Length: 9\r\nExpect: 100-continue\r\n\r\n`, 405],
  ['a head without an end', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}`, 431],
  ['a head too long', `GET / HTTP/1.1\r\n${HOST}X: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
];
for (const [what, request, status] of ENDING) {
  test(`one answer, ${status}, and the end: ${what}`, (t) => {
    const { statuses, text, last } = exchange(request, GET);
    t.deepEqual(statuses, [status]);
    t.regex(text, /^Connection: close\r$/m);
    t.true(last);
  });
}

test('HTTP/1.0 keeps the connection when asked to', (t) => {
  const request = 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n';
  t.deepEqual(exchange(request + request), { ...exchange(request, request), statuses: [200, 200], last: false });
});

test('empty lines before a request are ignored', (t) => {
  t.deepEqual(exchange(`\r\n\n\r\n${GET}`).statuses, [200]);
});

test('the same length twice is one length', (t) => {
  const length = 'Content-Length: 1\r\n';
  t.deepEqual(exchange(`GET / HTTP/1.1\r\n${HOST}${length}${length}\r\nx${GET}`).statuses, [200, 200]);
});
