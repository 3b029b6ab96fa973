"""The scripts by which a Redis server keeps the sessions of clients. ``redis_scripts.py`` names the keys."""

from __future__ import annotations

from typing import Final

from socketio_cluster.manager.brokers.redis_scripts import COMMON, SWEEP

OPEN: Final = (
    COMMON
    + """
-- ARGV: sid, secret, namespace, node, claim, seconds, position, data, and rooms with their positions
local key, position, last = session_of(ARGV[1]), ARGV[7], redis.call('HGET', base, 'last')
if position == '0' then position = last end
redis.call('DEL', key)
redis.call('HSET', key, 'secret', ARGV[2], 'namespace', ARGV[3], 'node', ARGV[4], 'claim', ARGV[5],
  'position', position, 'data', ARGV[8], 'written', last)
for at = 9, #ARGV, 2 do redis.call('HSET', key, 'r' .. ARGV[at], ARGV[at + 1]) end
redis.call('PEXPIRE', key, ARGV[6] * 1000)
return place()
"""
)

CLAIM: Final = (
    COMMON
    + """
-- ARGV: sid, secret, namespace, node, claim, seconds, begin of the rooms' channels, and perhaps the epoch and
-- the number of an offset
local key = session_of(ARGV[1])
local found = redis.call('HMGET', key, 'secret', 'namespace', 'node', 'position', 'data', 'written')
if not found[1] or found[1] ~= ARGV[2] or found[2] ~= ARGV[3] then return {'unknown'} end
local answer = place()
if not answer[1] then return answer end
if ARGV[8] and (ARGV[8] ~= answer[1] or tonumber(ARGV[9]) > tonumber(answer[2])) then return {'epoch'} end
if ARGV[8] and tonumber(ARGV[9]) > tonumber(found[4]) then found[4] = ARGV[9] end
if tonumber(found[4]) < tonumber(answer[3]) then return {'late'} end
for at = 3, 5 do answer[#answer + 1] = found[at] end
local fields = redis.call('HGETALL', key)
for at = 1, #fields, 2 do
  if string.sub(fields[at], 1, 1) == 'r' then
    local room = string.sub(fields[at], 2)
    local closed = redis.call('GET', base .. ':closed:' .. ARGV[7] .. room)
    if closed and math.max(tonumber(fields[at + 1]), tonumber(found[6] or 0)) < tonumber(closed) then
      redis.call('HDEL', key, fields[at])
    else
      answer[#answer + 1] = room
      answer[#answer + 1] = fields[at + 1]
    end
  end
end
redis.call('HSET', key, 'node', ARGV[4], 'claim', ARGV[5])
redis.call('PEXPIRE', key, ARGV[6] * 1000)
return answer
"""
)

CHANGE: Final = (
    COMMON
    + """
-- ARGV: sid, claim, the channels of rooms, how many rooms were entered, these, how many were left, these, and
-- perhaps the data
if not owned(ARGV[1], ARGV[2]) then return {0} end
local key, last = session_of(ARGV[1]), redis.call('HGET', base, 'last')
local written = tonumber(redis.call('HGET', key, 'written') or 0)
local left = 5 + tonumber(ARGV[4])
local after = left + 1 + tonumber(ARGV[left])
for at = 5, left - 1 do
  local joined = ARGV[2] == '' and redis.call('HGET', key, 'r' .. ARGV[at])
  local closed = joined and redis.call('GET', base .. ':closed:' .. ARGV[3] .. ARGV[at])
  if not joined or (closed and math.max(tonumber(joined), written) < tonumber(closed)) then
    redis.call('HSET', key, 'r' .. ARGV[at], last)
  end
end
for at = left + 1, after - 1 do redis.call('HDEL', key, 'r' .. ARGV[at]) end
if ARGV[after] then redis.call('HSET', key, 'data', ARGV[after]) end
return {1}
"""
)

RENEW: Final = (
    COMMON
    + SWEEP
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
    COMMON
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
local state = redis.call('HMGET', base, 'last', 'seconds')
if not state[1] then return {1} end -- Nothing is kept, so there are no sessions either.
local last = text(tonumber(state[1]) + 1)
redis.call('HSET', base, 'last', last)
redis.call('SET', base .. ':closed:' .. ARGV[1], last, 'PX', text(state[2] * 1000))
return {1}
"""
)

SESSION_SCRIPTS: Final = (OPEN, CLAIM, CHANGE, RENEW, RELEASE, WHERE, CLOSE_ROOM)
