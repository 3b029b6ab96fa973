"""The scripts by which a Redis server keeps the sessions of clients. ``redis_scripts.py`` names the keys."""

from __future__ import annotations

from typing import Final

from socketio_cluster.manager.brokers.redis_scripts import COMMON, SWEEP
from socketio_cluster.manager.bus.stays import MOST, MOST_CLOSES

OWNED: Final = """
-- Whether a session is of the owner with this claim, or of one that is gone.
local function owned(key, claim, gone)
  local found = redis.call('HMGET', key, 'claim', 'node')
  return found[1] == claim or (gone ~= '' and found[2] == gone)
end
"""

STAYS: Final = """
-- Stays are as in stays.py, in MessagePack: the floor, and the stays with their rooms, begins and ends.
local function stays_of(packed)
  if packed and packed ~= '' then return cmsgpack.unpack(packed) end
  return {0, {}}
end

local function keep_stays(key, stays, more, position)
  local floor, ended = stays[1], {}
  for _, some in ipairs({stays[2], more}) do
    for _, stay in ipairs(some) do
      if stay[3] > math.max(stay[2], position) then ended[#ended + 1] = stay end
    end
  end
  if #ended == #stays[2] and #more == 0 then return end
  while #ended > MOST do floor = math.max(floor, table.remove(ended, 1)[3]) end
  if #ended > 0 or floor > position then
    redis.call('HSET', key, 'stays', cmsgpack.pack({floor, ended}))
  else
    redis.call('HDEL', key, 'stays')
  end
end

-- Returns the number at which a room was first closed since a session has entered it.
local function closed_at(channels, room, joined, written)
  local since = math.max(tonumber(joined), tonumber(written or 0))
  for _, number in ipairs(redis.call('LRANGE', base .. ':closes:' .. channels .. room, 0, -1)) do
    if tonumber(number) > since then return tonumber(number) end
  end
  local last = tonumber(redis.call('GET', base .. ':closed:' .. channels .. room) or 0)
  if last > since then return last end
end
""".replace("MOST", str(MOST))

OPEN: Final = (
    COMMON
    + """
-- ARGV: sid, secret, namespace, node, claim, seconds, position, data, stays, and rooms with their positions
local key, position, last = session_of(ARGV[1]), ARGV[7], redis.call('HGET', base, 'last')
if position == '0' then position = last end
redis.call('DEL', key)
redis.call('HSET', key, 'secret', ARGV[2], 'namespace', ARGV[3], 'node', ARGV[4], 'claim', ARGV[5],
  'position', position, 'data', ARGV[8], 'written', last)
if ARGV[9] ~= '' then redis.call('HSET', key, 'stays', ARGV[9]) end
for at = 10, #ARGV, 2 do redis.call('HSET', key, 'r' .. ARGV[at], ARGV[at + 1]) end
redis.call('PEXPIRE', key, ARGV[6] * 1000)
return place()
"""
)

CLAIM: Final = (
    COMMON
    + STAYS
    + """
-- ARGV: sid, secret, namespace, node, claim, seconds, begin of the rooms' channels, and perhaps the epoch and
-- the number of an offset
local key = session_of(ARGV[1])
local found = redis.call('HMGET', key, 'secret', 'namespace', 'node', 'position', 'data', 'written', 'stays',
  'tried')
if not found[1] or found[1] ~= ARGV[2] or found[2] ~= ARGV[3] then return {'unknown'} end
local answer = place()
if not answer[1] then return answer end
if ARGV[8] and (ARGV[8] ~= answer[1] or tonumber(ARGV[9]) > tonumber(answer[2])) then return {'epoch'} end
if ARGV[8] and tonumber(ARGV[9]) > tonumber(found[4]) then found[4] = ARGV[9] end
if tonumber(found[4]) < tonumber(answer[3]) then return {'late'} end
for at = 3, 5 do answer[#answer + 1] = found[at] end
answer[7], answer[8] = '', found[8] or '0 0'
local fields = redis.call('HGETALL', key)
local ended = {}
for at = 1, #fields, 2 do
  if string.sub(fields[at], 1, 1) == 'r' then
    local room, joined = string.sub(fields[at], 2), fields[at + 1]
    local closed = closed_at(ARGV[7], room, joined, found[6])
    if closed then
      ended[#ended + 1] = {room, tonumber(joined), closed}
    else
      answer[#answer + 1] = room
      answer[#answer + 1] = joined
    end
  end
end
if #ended > 0 or found[7] then
  for _, stay in ipairs(ended) do redis.call('HDEL', key, 'r' .. stay[1]) end
  local position = redis.call('HGET', key, 'position')
  keep_stays(key, stays_of(found[7]), ended, math.max(tonumber(position), tonumber(answer[3])))
  answer[7] = redis.call('HGET', key, 'stays') or ''
end
if tonumber(found[4]) < stays_of(answer[7])[1] then return {'late'} end
redis.call('HSET', key, 'node', ARGV[4], 'claim', ARGV[5])
redis.call('PEXPIRE', key, ARGV[6] * 1000)
return answer
"""
)

CHANGE: Final = (
    COMMON
    + OWNED
    + STAYS
    + """
-- ARGV: sid, claim, an owner that is gone, the channels of rooms, stays that have ended, what was tried,
-- how many rooms were entered, these, how many were left, these, and perhaps the data
local key, away = session_of(ARGV[1]), ARGV[2] == ''
local last, floor = unpack(redis.call('HMGET', base, 'last', 'floor'))
if not last or not owned(key, ARGV[2], ARGV[3]) then return {0} end
if away then redis.call('HSET', key, 'node', '', 'claim', '') end
local written, position, stays = unpack(redis.call('HMGET', key, 'written', 'position', 'stays'))
local ended = cmsgpack.unpack(ARGV[5])
local left = 8 + tonumber(ARGV[7])
local after = left + 1 + tonumber(ARGV[left])
for at = 8, left - 1 do
  local joined = away and redis.call('HGET', key, 'r' .. ARGV[at])
  local closed = joined and closed_at(ARGV[4], ARGV[at], joined, written)
  if closed then ended[#ended + 1] = {ARGV[at], tonumber(joined), closed} end
  if closed or not joined then redis.call('HSET', key, 'r' .. ARGV[at], last) end
end
for at = left + 1, after - 1 do
  local joined = away and redis.call('HGET', key, 'r' .. ARGV[at])
  local closed = joined and closed_at(ARGV[4], ARGV[at], joined, written)
  if joined then ended[#ended + 1] = {ARGV[at], tonumber(joined), closed or tonumber(last)} end
  redis.call('HDEL', key, 'r' .. ARGV[at])
end
if #ended > 0 then keep_stays(key, stays_of(stays), ended, math.max(tonumber(position), tonumber(floor))) end
if ARGV[after] then redis.call('HSET', key, 'data', ARGV[after]) end
if ARGV[6] ~= '' then redis.call('HSET', key, 'tried', ARGV[6]) end
return {last}
"""
)

RENEW: Final = (
    COMMON
    + SWEEP
    + STAYS
    + """
-- ARGV: seconds, and for each session its sid, claim and position
local missing = {}
local state = redis.call('HMGET', base, 'floor', 'size', 'seconds', 'most')
local floor = tonumber(state[1] or 0)
for at = 2, #ARGV, 3 do
  local key = session_of(ARGV[at])
  local claim, position, packed = unpack(redis.call('HMGET', key, 'claim', 'position', 'stays'))
  if claim == ARGV[at + 1] then
    if tonumber(position) < tonumber(ARGV[at + 2]) then
      position = ARGV[at + 2]
      redis.call('HSET', key, 'position', position)
    end
    if packed then keep_stays(key, stays_of(packed), {}, math.max(tonumber(position), floor)) end
    redis.call('PEXPIRE', key, ARGV[1] * 1000)
  else
    missing[#missing + 1] = ARGV[at]
  end
end
if state[1] then
  local floor, size = sweep(tonumber(state[1]), tonumber(state[2]), tonumber(state[3]), tonumber(state[4]))
  redis.call('HSET', base, 'floor', text(floor), 'size', size, 'swept', text(now))
end
return missing
"""
)

RELEASE: Final = (
    COMMON
    + OWNED
    + """
-- ARGV: sid, claim, seconds, an owner that is gone
local key = session_of(ARGV[1])
if not owned(key, ARGV[2], ARGV[4]) then return {0} end
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
    COMMON
    + """
-- ARGV: sid, namespace
local found = redis.call('HMGET', session_of(ARGV[1]), 'namespace', 'node')
if found[1] ~= ARGV[2] then return {} end
return {found[2]}
"""
)

CLOSE_ROOM: Final = (
    COMMON
    + """
-- ARGV: channel. The number is one that no event has, which tells joins before and behind apart
local key, state = base .. ':closes:' .. ARGV[1], redis.call('HMGET', base, 'last', 'floor', 'seconds')
if not state[1] then return {1} end -- Nothing is kept, so there are no sessions either.
local last, floor = text(tonumber(state[1]) + 1), tonumber(state[2])
redis.call('HSET', base, 'last', last)
redis.call('RPUSH', key, last)
redis.call('LTRIM', key, -MOST, -1)
while tonumber(redis.call('LINDEX', key, 1) or floor + 1) <= floor do redis.call('LPOP', key) end
redis.call('PEXPIRE', key, text(state[3] * 1000))
redis.call('SET', base .. ':closed:' .. ARGV[1], last, 'PX', text(state[3] * 1000))
return {1}
""".replace("MOST", str(MOST_CLOSES))
)

SESSION_SCRIPTS: Final = (OPEN, CLAIM, CHANGE, RENEW, RELEASE, WHERE, CLOSE_ROOM)
