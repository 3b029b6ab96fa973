"""The scripts by which a Redis server numbers and keeps events, and keeps the sessions of clients.

Each script is one step for the server, and answers with a list. All keys of a cluster begin with its prefix
in braces, so in a Redis Cluster they are in one shard:

* ``…:recovery`` (hash): the epoch, the last number, the floor, the bytes of all events, and the bounds;
* ``…:recovery:log`` (stream): the events by number, each with the channels whose history it is in;
* ``…:recovery:of:CHANNEL`` (list): the numbers of a channel's events;
* ``…:recovery:sent:NODE`` (text): the number of the last event of a node in its own stream;
* ``…:recovery:session:SID`` (hash): a client's session; the fields of rooms begin with ``r``.
"""

from __future__ import annotations

from typing import Final

_COMMON: Final = """
local base = KEYS[1]
local log, of = base .. ':log', base .. ':of:'
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

local function text(number) return string.format('%.0f', number) end

local function place()
  return redis.call('HMGET', base, 'epoch', 'last', 'floor')
end

local function session_of(sid) return base .. ':session:' .. sid end

local function owned(sid, claim)
  return redis.call('HGET', session_of(sid), 'claim') == claim
end
"""

_SWEEP: Final = """
-- Drops the events beyond the bounds. Returns the floor and the bytes that are left.
local function sweep(floor, size, seconds, most)
  local oldest, before = now - seconds * 1000000, floor
  local count, over = 1, true
  while over do
    local found = redis.call('XRANGE', log, '-', '+', 'COUNT', count)
    over = #found == count
    for _, entry in ipairs(found) do
      local number, fields = tonumber(string.match(entry[1], '^%d+')), entry[2]
      if number >= oldest and size <= most then over = false break end
      for at = 3, #fields, 2 do redis.call('LREM', of .. fields[at + 1], 1, text(number)) end
      size = size - #fields[2] - OVERHEAD
      floor = number
    end
    if floor > before then redis.call('XTRIM', log, 'MINID', text(floor + 1) .. '-0') end
    count = 100
  end
  local lifetime = text(seconds * 2000 + 86400000)
  redis.call('PEXPIRE', log, lifetime)
  redis.call('PEXPIRE', base, lifetime)
  return floor, size
end
""".replace("OVERHEAD", "300")

BEGIN: Final = (
    _COMMON
    + """
-- ARGV: a new epoch, seconds, bytes
local seconds, most = tonumber(ARGV[2]), tonumber(ARGV[3])
local known = redis.call('HMGET', base, 'epoch', 'seconds', 'most')
if known[1] then
  seconds, most = math.max(seconds, tonumber(known[2])), math.max(most, tonumber(known[3]))
else
  redis.call('DEL', log)
  redis.call('HSET', base, 'epoch', ARGV[1], 'last', text(now), 'floor', text(now), 'size', 0, 'swept', 0)
end
redis.call('HSET', base, 'seconds', seconds, 'most', text(most))
return place()
"""
)

LOOK: Final = _COMMON + "if redis.call('EXISTS', base) == 0 then return {} end return place()"

RECORD: Final = (
    _COMMON
    + _SWEEP
    + """
-- ARGV: the command that publishes, the sender, and for each event its number in the sender's stream, its
-- bytes, how many channels it is published to, these, how many histories it is kept in, and these
local state = redis.call('HMGET', base, 'epoch', 'last', 'floor', 'size', 'seconds', 'most', 'swept')
if not state[1] then return redis.error_reply('recovery has not begun: its memory was lost') end
local epoch, last, floor, size = state[1], tonumber(state[2]), tonumber(state[3]), tonumber(state[4])
local seconds, most = tonumber(state[5]), tonumber(state[6])
local lifetime = text(seconds * 1000 + 60000)
local sender = base .. ':sent:' .. ARGV[2]
local sent = tonumber(redis.call('GET', sender) or 0)
local at = 3
while at <= #ARGV do
  local number, payload, count = tonumber(ARGV[at]), ARGV[at + 1], tonumber(ARGV[at + 2])
  local first = at + 3
  local histories = first + count
  local after = histories + 1 + tonumber(ARGV[histories])
  if number > sent then
    sent, last = number, math.max(last + 1, now)
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
    size = size + #payload + 300
    local stamped = 'N' .. epoch .. id .. payload
    for index = first, histories - 1 do redis.call(ARGV[1], ARGV[index], stamped) end
  end
  at = after
end
if size > most or now - tonumber(state[7]) > 500000 then
  floor, size = sweep(floor, size, seconds, most)
  redis.call('HSET', base, 'floor', text(floor), 'swept', text(now))
end
redis.call('HSET', base, 'last', text(last), 'size', size)
redis.call('SET', sender, text(sent), 'PX', lifetime)
return {last}
"""
)

READ: Final = (
    _COMMON
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
  if payload then
    answer[#answer + 1] = event[1]
    answer[#answer + 1] = payload
  end
end
return answer
"""
)

OPEN: Final = (
    _COMMON
    + """
-- ARGV: sid, secret, namespace, node, claim, seconds, position, data, and rooms with their positions
local key, position = session_of(ARGV[1]), ARGV[7]
if position == '0' then position = redis.call('HGET', base, 'last') end
redis.call('DEL', key)
redis.call('HSET', key, 'secret', ARGV[2], 'namespace', ARGV[3], 'node', ARGV[4], 'claim', ARGV[5],
  'position', position, 'data', ARGV[8])
for at = 9, #ARGV, 2 do redis.call('HSET', key, 'r' .. ARGV[at], ARGV[at + 1]) end
redis.call('PEXPIRE', key, ARGV[6] * 1000)
return place()
"""
)

CLAIM: Final = (
    _COMMON
    + """
-- ARGV: sid, secret, namespace, node, claim, seconds
local key = session_of(ARGV[1])
local found = redis.call('HMGET', key, 'secret', 'namespace', 'node', 'position', 'data')
if not found[1] or found[1] ~= ARGV[2] or found[2] ~= ARGV[3] then return {} end
local answer = place()
for at = 3, 5 do answer[#answer + 1] = found[at] end
local fields = redis.call('HGETALL', key)
for at = 1, #fields, 2 do
  if string.sub(fields[at], 1, 1) == 'r' then
    answer[#answer + 1] = string.sub(fields[at], 2)
    answer[#answer + 1] = fields[at + 1]
  end
end
redis.call('HSET', key, 'node', ARGV[4], 'claim', ARGV[5])
redis.call('PEXPIRE', key, ARGV[6] * 1000)
return answer
"""
)

CHANGE: Final = (
    _COMMON
    + """
-- ARGV: sid, claim, how many rooms were entered, these, how many were left, these, and perhaps the data
if not owned(ARGV[1], ARGV[2]) then return {0} end
local key, last = session_of(ARGV[1]), redis.call('HGET', base, 'last')
local left = 4 + tonumber(ARGV[3])
local after = left + 1 + tonumber(ARGV[left])
for at = 4, left - 1 do redis.call('HSET', key, 'r' .. ARGV[at], last) end
for at = left + 1, after - 1 do redis.call('HDEL', key, 'r' .. ARGV[at]) end
if ARGV[after] then redis.call('HSET', key, 'data', ARGV[after]) end
return {1}
"""
)

RENEW: Final = (
    _COMMON
    + _SWEEP
    + """
-- ARGV: seconds, and for each session its sid, claim and position
local missing = {}
for at = 2, #ARGV, 3 do
  if owned(ARGV[at], ARGV[at + 1]) then
    local key = session_of(ARGV[at])
    if tonumber(redis.call('HGET', key, 'position')) < tonumber(ARGV[at + 2]) then
      redis.call('HSET', key, 'position', ARGV[at + 2])
    end
    redis.call('PEXPIRE', key, ARGV[1] * 1000)
  else
    missing[#missing + 1] = ARGV[at]
  end
end
local state = redis.call('HMGET', base, 'floor', 'size', 'seconds', 'most')
if state[1] then
  local floor, size = sweep(tonumber(state[1]), tonumber(state[2]), tonumber(state[3]), tonumber(state[4]))
  redis.call('HSET', base, 'floor', text(floor), 'size', size, 'swept', text(now))
end
return missing
"""
)

RELEASE: Final = (
    _COMMON
    + """
-- ARGV: sid, claim, seconds
if not owned(ARGV[1], ARGV[2]) then return {0} end
local key = session_of(ARGV[1])
if tonumber(ARGV[3]) > 0 then
  redis.call('HSET', key, 'node', '', 'claim', '')
  redis.call('PEXPIRE', key, ARGV[3] * 1000)
else
  redis.call('DEL', key)
end
return {1}
"""
)

WHERE: Final = (
    _COMMON
    + """
-- ARGV: sid, namespace
local found = redis.call('HMGET', session_of(ARGV[1]), 'namespace', 'node')
if found[1] ~= ARGV[2] then return {} end
return {found[2]}
"""
)

SCRIPTS: Final = (BEGIN, LOOK, RECORD, READ, OPEN, CLAIM, CHANGE, RENEW, RELEASE, WHERE)
