import test from 'ava';
import { Dealer } from '../../src/worker/sources/dealer.js';

interface Player {
  name: string;
  isEligible: boolean;
  behind: number;
  isStalled: boolean;
}

function table(...names: string[]): { dealer: Dealer<Player>; players: Record<string, Player> } {
  const dealer = new Dealer<Player>();
  const players: Record<string, Player> = {};
  for (const name of names) {
    const player = { name, isEligible: true, behind: 0, isStalled: false };
    players[name] = player;
    dealer.add(player);
  }
  return { dealer, players };
}

const deal = ({ dealer }: ReturnType<typeof table>, count: number) =>
  Array.from({ length: count }, () => dealer.next()?.name).join('');

test('equals are dealt to in turn', (t) => {
  t.is(deal(table('a', 'b', 'c', 'd'), 9), 'abcdabcda');
});

test('to look for a candidate is not to deal: nobody loses a turn by it, however often', (t) => {
  const game = table('a', 'b', 'c', 'd');
  let dealt = '';
  for (let turn = 0; turn < 8; turn++) {
    for (let look = 0; look < turn; look++) t.is(game.dealer.candidate()?.name, 'abcd'[turn % 4]);
    dealt += deal(game, 1);
  }
  t.is(dealt, 'abcdabcd');
});

test('who was dealt to out of turn has had it: the round goes on behind it', (t) => {
  const game = table('a', 'b', 'c');
  game.dealer.dealtTo(game.players.b as Player);
  t.is(deal(game, 3), 'cab');
});

test('the least behind comes first, who stalls last, and who is not eligible never', (t) => {
  const game = table('a', 'b', 'c', 'd');
  const { a, b, c, d } = game.players as Record<'a' | 'b' | 'c' | 'd', Player>;
  a.behind = 1;
  b.isStalled = true;
  c.isEligible = false;
  d.behind = 1000;
  t.is(deal(game, 2), 'aa');
  a.isEligible = false;
  t.is(deal(game, 2), 'dd');
  d.isEligible = false;
  t.is(deal(game, 2), 'bb');
  b.isEligible = false;
  t.is(game.dealer.candidate(), undefined);
  t.is(game.dealer.next(), undefined);
});

test('a single sharer is dealt everything while it is eligible', (t) => {
  const game = table('a');
  t.is(deal(game, 2), 'aa');
  (game.players.a as Player).isEligible = false;
  t.is(game.dealer.next(), undefined);
});
