"""The scripts by which a Redis server numbers and keeps events. Those for sessions are in the next file.

Each script is one step for the server, and answers with a list. All keys of a cluster begin with its prefix
in braces, so in a Redis Cluster they are in one shard:

* ``…:recovery`` (hash): the epoch and when it began, the last number, the floor, the bytes of all events,
  and the bounds;
* ``…:recovery:log`` (stream): the events by number, each with the channels whose history it is in;
* ``…:recovery:of:CHANNEL`` (list): the numbers of a channel's events;
* ``…:recovery:sent:NODE`` (text): the number of the last event of a node in its own stream;
* ``…:recovery:refused:NODE`` (list): the last of them that it may not publish, each as its number and why;
* ``…:recovery:session:SID`` (hash): a client's session; the fields of rooms begin with ``r``;
* ``…:recovery:closes:CHANNEL`` (list): the numbers at which a room was closed;
* ``…:recovery:closed:CHANNEL`` (text): the last of them, which is all that release 0.1 knows.
"""

from __future__ import annotations

from typing import Final

from socketio_cluster.manager.bus.outgoing import BATCH_ENTRIES

COMMON: Final = """
local base = KEYS[1]
local log, of = base .. ':log', base .. ':of:'
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

local function text(number) return string.format('%.0f', number) end

local function place()
  return redis.call('HMGET', base, 'epoch', 'last', 'floor')
end

local function place_and_age()
  local answer, began = place(), redis.call('HGET', base, 'began') or ''
  -- A node of release 0.1 does not note when it lets an epoch begin.
  local epoch, since = string.match(began, '^(.*) (%d+)$')
  if epoch == answer[1] then answer[4] = text(now - tonumber(since)) end
  return answer
end

local function session_of(sid) return base .. ':session:' .. sid end
"""

SWEEP: Final = """
-- Drops the events beyond the bounds. Returns the floor and the bytes that are left.
local function sweep(floor, size, seconds, most)
  local oldest = now - seconds * 1000000
  local dropped, count, over = 0, 1, true
  while over do
    local found = redis.call('XRANGE', log, '-', '+', 'COUNT', count)
    over = #found == count
    for _, entry in ipairs(found) do
      local number, fields = tonumber(string.match(entry[1], '^%d+')), entry[2]
      if number >= oldest and size <= most then over = false break end
      for at = 3, #fields, 2 do redis.call('LREM', of .. fields[at + 1], 1, text(number)) end
      size = size - #fields[2] - OVERHEAD
      dropped = number
    end
    if dropped > 0 then redis.call('XTRIM', log, 'MINID', text(dropped + 1) .. '-0') end
    count = 100
  end
  local lifetime = text(seconds * 2000 + 86400000)
  redis.call('PEXPIRE', log, lifetime)
  redis.call('PEXPIRE', base, lifetime)
  return math.max(floor, dropped), size  -- a gap may be behind what was dropped
end
""".replace("OVERHEAD", "300")

BEGIN: Final = (
    COMMON
    + """
-- ARGV: a new epoch, seconds, bytes, the id of this run, and 1 if it knows all that the last run knew
local seconds, most = tonumber(ARGV[2]), tonumber(ARGV[3])
local known = redis.call('HMGET', base, 'epoch', 'seconds', 'most', 'run', 'last')
if known[1] then
  seconds, most = math.max(seconds, tonumber(known[2])), math.max(most, tonumber(known[3]))
end
if not known[1] or (known[4] ~= ARGV[4] and ARGV[5] ~= '1') then
  -- A text from before cannot be believed any more, and no number may be given twice.
  local last = text(math.max(now, tonumber(known[5] or 0) + 1))
  redis.call('DEL', log)
  redis.call('HSET', base, 'epoch', ARGV[1], 'last', last, 'floor', last, 'size', 0, 'swept', 0,
    'began', ARGV[1] .. ' ' .. text(now))
end
redis.call('HSET', base, 'seconds', seconds, 'most', text(most), 'run', ARGV[4])
return place_and_age()
"""
)

LOOK: Final = COMMON + "if redis.call('EXISTS', base) == 0 then return {} end return place_and_age()"

RECORD: Final = (
    COMMON
    + SWEEP
    + """
-- ARGV: the command that publishes, the sender, the number of the event that has to be recorded before these
-- (0: none), and for each event its number in the sender's stream, its bytes, how many channels it is
-- published to, these, how many histories it is kept in, and these. Returns the last number, and for each
-- event that this user may not publish its place among these, from 0, and the reason. It says so again when
-- an event comes again, because the first reply may be lost, and that of a script that fails names none
local function is_forbidden(why) -- Redis 7.0 does not say NOPERM here.
  return string.find(why, 'NOPERM', 1, true) or string.find(why, "executing the script can't", 1, true)
end
local function reasons_in(key)
  local reasons = {}
  for _, entry in ipairs(redis.call('LRANGE', key, 0, -1)) do
    local number, why = string.match(entry, '^(%d+) (.*)$')
    reasons[number] = why
  end
  return reasons
end
local state = redis.call('HMGET', base, 'epoch', 'last', 'floor', 'size', 'seconds', 'most', 'swept')
if not state[1] then return redis.error_reply('recovery has not begun: its memory was lost') end
local epoch, last, floor, size = state[1], tonumber(state[2]), tonumber(state[3]), tonumber(state[4])
local seconds, most = tonumber(state[5]), tonumber(state[6])
local lifetime = text(seconds * 1000 + 60000)
local sender, refusals = base .. ':sent:' .. ARGV[2], base .. ':refused:' .. ARGV[2]
local sent = tonumber(redis.call('GET', sender) or 0)
if sent < tonumber(ARGV[3]) then return redis.error_reply('MISSING events before these are not recorded') end
local at, place, refused, failure = 4, 0, {}, nil
local reasons, new = nil, {} -- why earlier events were refused, and those that are refused now
while at <= #ARGV and not failure do
  local number, payload, count = tonumber(ARGV[at]), ARGV[at + 1], tonumber(ARGV[at + 2])
  local first = at + 3
  local histories = first + count
  local after = histories + 1 + tonumber(ARGV[histories])
  if number <= sent then
    reasons = reasons or reasons_in(refusals)
    if reasons[ARGV[at]] then
      refused[#refused + 1] = place
      refused[#refused + 1] = reasons[ARGV[at]]
    end
  else
    last = math.max(last + 1, now)
    local id = text(last)
    local entry = {log, id .. '-0', 'p', payload}
    for index = histories + 1, after - 1 do
      local key = of .. ARGV[index]
      redis.call('RPUSH', key, id)
      redis.call('PEXPIRE', key, lifetime)
      entry[#entry + 1] = 'c'
      entry[#entry + 1] = ARGV[index]
    end
    redis.call('XADD', unpack(entry))
    local stamped, refusal = 'N' .. epoch .. id .. payload, nil
    for index = first, histories - 1 do
      local answer = redis.pcall(ARGV[1], ARGV[index], stamped)
      if type(answer) == 'table' then refusal = answer.err end
    end
    if refusal then -- What is not published is not kept.
      redis.call('XDEL', log, id .. '-0')
      for index = histories + 1, after - 1 do redis.call('LREM', of .. ARGV[index], -1, id) end
      if is_forbidden(refusal) then
        sent = number
        new[#new + 1] = ARGV[at] .. ' ' .. refusal
        refused[#refused + 1] = place
        refused[#refused + 1] = refusal
      else
        failure = refusal
      end
    else
      sent, size = number, size + #payload + 300
    end
  end
  at, place = after, place + 1
end
if size > most or now - tonumber(state[7]) > 500000 then
  floor, size = sweep(floor, size, seconds, most)
  redis.call('HSET', base, 'floor', text(floor), 'swept', text(now))
end
redis.call('HSET', base, 'last', text(last), 'size', size)
redis.call('SET', sender, text(sent), 'PX', lifetime)
if #new > 0 then
  redis.call('RPUSH', refusals, unpack(new))
  redis.call('LTRIM', refusals, -MOST, -1) -- No more events than these are sent again.
end
if reasons or #new > 0 then redis.call('PEXPIRE', refusals, lifetime) end
if failure then return redis.error_reply('cannot publish: ' .. failure) end
return {last, unpack(refused)}
""".replace("MOST", str(BATCH_ENTRIES))
)

READ: Final = (
    COMMON
    + """
-- ARGV: a position, how many events, how many bytes, and the channels; without channels all events
local after, most, bytes = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local events, more = {}, false
if #ARGV == 3 then
  local found = redis.call('XRANGE', log, text(after + 1) .. '-0', '+', 'COUNT', most + 1)
  for index, entry in ipairs(found) do events[index] = {string.match(entry[1], '^%d+'), entry[2][2]} end
else
  local seen = {}
  for index = 4, #ARGV do
    local key = of .. ARGV[index]
    local newest = redis.call('LINDEX', key, -1)
    if newest and tonumber(newest) > after then
      local low, high = 0, redis.call('LLEN', key) - 1
      while low < high do
        local middle = math.floor((low + high) / 2)
        if tonumber(redis.call('LINDEX', key, middle)) > after then high = middle else low = middle + 1 end
      end
      for _, number in ipairs(redis.call('LRANGE', key, low, low + most)) do
        if not seen[number] then
          seen[number] = true
          events[#events + 1] = {number}
        end
      end
    end
  end
  table.sort(events, function(one, other) return tonumber(one[1]) < tonumber(other[1]) end)
end
local answer = place()
answer[4], answer[5] = answer[2], 1
for index, event in ipairs(events) do
  local payload = event[2]
  if not payload and index <= most then
    local found = redis.call('XRANGE', log, event[1] .. '-0', event[1] .. '-0')
    payload = found[1] and found[1][2][2]
  end
  bytes = bytes - #(payload or '') - 300
  if index > most or (bytes < 0 and index > 1) then
    answer[4], answer[5] = events[index - 1][1], 0
    break
  end
  if not payload then
    answer[3] = answer[2] -- A server that is short of memory has dropped it. Nothing before is certain.
  else
    answer[#answer + 1] = event[1]
    answer[#answer + 1] = payload
  end
end
return answer
"""
)

TAIL: Final = (
    COMMON
    + """
-- ARGV: a channel, a number before which the events are (0: all), how many, and how many bytes
local key, before, most, bytes = of .. ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local low, high = 0, redis.call('LLEN', key)
while before > 0 and low < high do
  local middle = math.floor((low + high) / 2)
  if tonumber(redis.call('LINDEX', key, middle)) >= before then high = middle else low = middle + 1 end
end
local answer, found = place(), {}
answer[4], answer[5] = answer[2], 1
for index = high - 1, 0, -1 do
  local number = redis.call('LINDEX', key, index)
  local entry = redis.call('XRANGE', log, number .. '-0', number .. '-0')[1]
  if not entry then break end -- Those before it are not kept either.
  bytes = bytes - #entry[2][2] - 300
  if #found > 0 and (#found == most or bytes < 0) then answer[5] = 0 break end
  found[#found + 1] = {number, entry[2][2]}
end
for index = #found, 1, -1 do
  answer[#answer + 1] = found[index][1]
  answer[#answer + 1] = found[index][2]
end
return answer
"""
)

GAP: Final = (
    COMMON
    + """
-- A number that no event has: also those who have got the last event may miss one that was dropped behind it.
local last = redis.call('HGET', base, 'last')
if last then
  local number = text(math.max(tonumber(last) + 1, now))
  redis.call('HSET', base, 'last', number, 'floor', number)
end
return {1}
"""
)

HISTORY_SCRIPTS: Final = (BEGIN, LOOK, RECORD, READ, TAIL, GAP)
