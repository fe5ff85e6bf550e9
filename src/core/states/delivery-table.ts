import type { DeliveryHappening, DeliveryRow, DeliveryState, Impossible } from './delivery.ts';

/** What each state is, in a few words. */
export const DELIVERY_MEANINGS: Readonly<Record<DeliveryState, string>> = {
  absent: 'nothing is known of the contact here',
  idle: 'no row of `due`: in step, or nothing is to be there',
  refused: 'no row of `due`, and a dead letter of what it shall be: refused, or given up',
  dropped: 'the same, and a person wants to hear no more of it',
  unmapped: 'no row of `due`, and a dead letter of mapping: its rows cannot be read',
  due: 'to be sent at `due_at`',
  leased: 'a token: what it shall be may be in flight until the end of the lease',
  outdated: 'a token, and it has changed since it was claimed',
  void: 'a token, and nothing is to be there any more',
  held: '`lane` 2 or 3: a brake holds it, and nobody claims it',
  outdated_held: 'a token, and a brake holds what it has become since',
};

/** Why something cannot happen. */
export const DELIVERY_IMPOSSIBLE: Readonly<Record<Impossible, string>> = {
  no_contact: 'nothing is known of it',
  known: 'it is known already',
  no_lease: 'nobody holds it (settled all the same, it is settled under a lost lease)',
  never_there: 'a brake asks only about who is there',
  wanted: 'something is to be there, or is yet to be removed: it is as under any lost lease',
  not_deleted: 'it does not wait to be deleted',
  in_doubt: 'what is in doubt is sent itself, and its events after it',
};

const NEW = { no: 'no_contact' } as const;
const OLD = { no: 'known' } as const;
const FREE = { no: 'no_lease' } as const;
const ASKS = { no: 'never_there' } as const;
const STAYS = { no: 'wanted' } as const;
const LIVES = { no: 'not_deleted' } as const;
const DOUBT = { no: 'in_doubt' } as const;

/** What happens to whom nobody holds, and nobody knows, when a worker does something. */
const UNHELD = [FREE, FREE, FREE, FREE, FREE, FREE] as const;

/**
 * Every happening in every state: a state or a happening without its cells does not compile.
 * `test/integration/database/delivery-states.test.ts` makes each of them happen.
 */
// oxfmt-ignore
export const DELIVERIES: Readonly<Record<DeliveryHappening, DeliveryRow>> = {
  //                                                absent  idle     refused  dropped  unmapped        due       leased      outdated    void        held   outdated_held
  'signs up':                                      ['due',  OLD,     OLD,     OLD,     OLD,            OLD,      OLD,        OLD,        OLD,        OLD,      OLD],
  'signs up, and is no contact yet':               ['idle', OLD,     OLD,     OLD,     OLD,            OLD,      OLD,        OLD,        OLD,        OLD,      OLD],
  'new values':                                    [NEW,    'due',   'due',   'due',   'due',          '=',      'outdated', '=',        'outdated', '=',      '='],
  'new values, the brake has stopped':             [NEW,    'held',  'held',  'held',  'held',         'held',   'outdated_held', 'outdated_held', 'outdated', '=', '='],
  'opts out':                                      [NEW,    'due',   'due',   'due',   'due',          '=',      'outdated', '=',        LIVES,      'due',    'outdated'],
  'nothing new':                                   ['=',    '=',     '=',     '=',     '=',            '=',      '=',        '=',        '=',        '=',      '='],
  'leaves':                                        [NEW,    'due',   'due',   'due',   'due',          '=',      'outdated', '=',        LIVES,      'due',    'outdated'],
  'leaves, the brake has stopped':                 [NEW,    'held',  'held',  'held',  'held',         'held',   'outdated_held', 'outdated_held', LIVES, '=',   '='],
  'leaves, and was never accepted':                [NEW,    '=',     ['idle', 'due'], ['idle', 'due'], ['idle', 'due'], ['idle', '='], 'outdated', '=', LIVES, ASKS, ASKS],
  'cannot be mapped':                              ['unmapped', 'unmapped', 'unmapped', 'unmapped', '=', '=',    '=',        '=',        LIVES,      '=',      '='],
  'can be mapped again, as it was accepted':       [NEW,    '=',     '=',     '=',     ['idle', STAYS], '=',     '=',        '=',        LIVES,      '=',      '='],
  'can be mapped again, as it was not accepted':   [NEW,    '=',     '=',     '=',     'due',          '=',      '=',        '=',        LIVES,      ASKS,     ASKS],
  'takes an address that is in flight':            ['due?', 'due?',  'due?',  'due?',  'due?',         '=?',     'outdated?', '=?',      'outdated?', '=?',    '=?'],
  'its address is taken while it waits to be deleted': [NEW, LIVES,  'idle!', 'idle!', LIVES,          'idle!',  'void',     'void',     LIVES,      'idle!',  'void'],

  'claim':                                         ['=',    '=',     '=',     '=',     '=',            'leased', '=',        '=',        '=',        '=',      '='],
  'claim for a request of many':                   ['=',    '=',     '=',     '=',     '=',            'leased', '=',        '=',        '=',        '=',      '='],
  'given back unsent':                             [...UNHELD, 'due', 'due', 'due', FREE, 'held'],
  'taken out of a request of many':                [...UNHELD, 'due', 'due', 'due', FREE, 'held'],
  'request of many: nothing came of it':           [...UNHELD, 'due', 'due', 'due', FREE, 'held'],
  'lease runs out':                                [...UNHELD, '=', '=', '=', FREE, '='],
  'lease has run out: claimed by another':         [...UNHELD, '=?', 'leased?', '=?', FREE, '='],
  'grace is over':                                 ['=',    '=',     '=!',    '=!',    '=!',           '=',      '=',        '=',        '=',        '=',      '='],

  'settle delivered':                              [...UNHELD, ['idle', 'due'], 'due', 'idle!', FREE, 'held'],
  'settle delivered, the grace is over':           [...UNHELD, 'idle!', 'due!', 'idle!', FREE, 'held!'],
  'settle retry':                                  [...UNHELD, 'due', 'due', 'idle!', FREE, 'held'],
  'settle retry, half of it accepted':             [...UNHELD, 'due', 'due', 'idle!', FREE, 'held'],
  'settle retry, forget its id':                   [...UNHELD, 'due', 'due', 'idle!', FREE, 'held'],
  'settle retry, the window is over':              [...UNHELD, 'refused', 'due', 'idle!', FREE, 'held'],
  'settle throttle':                               [...UNHELD, 'due', 'due', 'idle!', FREE, 'held'],
  'settle config':                                 [...UNHELD, 'due', 'due', 'idle!', FREE, 'held'],
  'settle reject':                                 [...UNHELD, 'refused', 'due', 'idle!', FREE, 'held'],
  'settle unknown':                                [...UNHELD, 'due?', 'due?', 'idle!', FREE, 'held?'],
  'settle unknown, the window is over':            [...UNHELD, 'refused?', 'due?', 'idle!', FREE, 'held?'],
  'settle under a lost lease':                     [NEW,    'due?',  'due?',  'due?',  'due?',         '=?',     '=?',       '=?',       '=',        '=?',     '=?'],
  'settle under a lost lease, of one who left':    [NEW,    'due?',  STAYS,   STAYS,   STAYS,          STAYS,    STAYS,      STAYS,      STAYS,      STAYS,    STAYS],

  'an event of it is ready':                       [NEW,    'due',   'due',   'due',   'due',          '=',    '=',        '=',        '=',        '=',      '='],
  'settle delivered, an event waits':              [...UNHELD, 'due', 'due', 'idle!', FREE, 'held'],
  'settle events alone':                           [...UNHELD, ['idle', DOUBT], ['due', DOUBT], 'idle!', FREE, ['held', DOUBT]],
  'settle events alone: gone there':               [...UNHELD, ['due', DOUBT], ['due', DOUBT], 'idle!', FREE, ['held', DOUBT]],

  'failures retry':                                ['=',    '=',     'due',   '=',     '=',            '=',      '=',        '=',        '=',        '=',      '='],
  'failures retry, by name':                       ['=',    '=',     'due',   'due',   '=',            '=',      '=',        '=',        '=',        '=',      '='],
  'failures drop':                                 ['=',    '=',     'dropped', '=',   '=',            '=',      '=',        '=',        '=',        '=',      '='],
  'brake stops':                                   ['=',    '=',     '=',     '=',     '=',            'held',   '=',        '=',        '=',        '=',      '='],
  'release':                                       ['=',    '=',     '=',     '=',     '=',            '=',      '=',        '=',        '=',        'due',    'outdated'],
  'pause, probe, resume':                          ['=',    '=',     '=',     '=',     '=',            '=',      '=',        '=',        '=',        '=',      '='],
  'apply: another config of it':                   ['=',    '=',     'due',   '=',     '=',            '=',      '=',        '=',        '=',        '=',      '='],
  'apply: another account':                        ['=',    'due',   'due!',  'due!',  'due!',         'due!',   'due!',     'due!',     'idle!',    'due!',   'due!'],
  'rebind':                                        ['=',    'due',   'due',   'due',   'due',          '=',      'due?',     'due?',     'idle!',    '=',      'held?'],
  'recover: found as it shall be':                 ['=',    '=',     'idle!', 'idle!', '=',            'idle!',  'idle!',    'idle!',    'idle!',    'idle!',  'idle!'],
  'adopt: found as it shall be':                   ['=',    '=',     '=',     '=',     '=',            '=',      '=',        '=',        '=',        '=',      '='],
  'adopt: found as it shall be, and was never sent': ['=',  '=',     ['idle', '='], ['idle', '='], '=', ['idle', '='], '=',   '=',        '=',        ASKS,     ASKS],
  'audit: other values there':                     ['=',    'due',   '=',     '=',     ['due', '='],   '=',      '=',        '=',        '=',        '=',      '='],
  'audit: has left there':                         ['=',    '=',     '=',     '=',     '=',            '=',      '=',        '=',        '=',        '=',      '='],
  'upkeep: nothing left of it':                    ['=',    'absent', '=',    '=',     '=',            '=',      '=',        '=',        '=',        '=',      '='],
};
