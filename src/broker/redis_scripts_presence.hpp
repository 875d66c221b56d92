// The scripts of who is there; part of redis_scripts.cpp, whose first lines
// they begin with too.
//
// A member, as the hash of its channel keeps it:
//
//   member := header client user conn-info chan-info
//   header := "1" SP announced SP length SP length SP length SP length LF
//   announced := "1" its join was told to the channel | "0"
#pragma once

#include "base/bytes.hpp"

namespace paperboy::broker::redis {

// KEYS, of each member: what its holder has in its bucket, its channel's hash
// ARGV, of each: holder, serial, channel, the member (empty: it leaves)
// Answer: how many
inline constexpr Bytes kAttend = R"lua(
for i = 1, #KEYS, 2 do
  local at = 2 * i - 1
  local field = ARGV[at] .. '/' .. ARGV[at + 1]
  if ARGV[at + 3] == '' then
    on(KEYS[i + 1], 'HDEL', field)
    on(KEYS[i], 'HDEL', ARGV[at + 1])
  else
    on(KEYS[i + 1], 'HSET', field, ARGV[at + 3])
    on(KEYS[i], 'HSET', ARGV[at + 1], ARGV[at + 2])
  end
end
return #KEYS / 2
)lua";

// KEYS: leases, dead holders, buried ones, nodes
// ARGV: 1 holder, 2 new (its first time) or renew, 3 for how long, ms; 4 dead
// holders and nodes that the caller may take at most, 5 for how long it has
// them, ms; 6 when this answered it last, 7 ms that may have gone by since, or
// it takes none; 8 a node's id (empty: the caller doesn't speak for it), 9 its
// info, and holders that have been buried
// Answer: 1 (it lives), 0 (it is forgotten) or 2 (it was taken for dead), the
// time, the holders that live, those taken, all dead ones of whom something is
// left, and of each node its id and info
//
// A holder lives until somebody takes it for dead, however late its lease is:
// where Redis was away, all are late, and what was sent meanwhile comes late.
inline constexpr Bytes kLease = R"lua(
local leases, dead, buried, nodes = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local holder, most, ms = ARGV[1], tonumber(ARGV[4]), now()
if ms - ARGV[6] > tonumber(ARGV[7]) then most = 0 end
local till, back = int(ms + ARGV[3]), int(ms + ARGV[5])
for i = 10, #ARGV do
  on(leases, 'ZREM', ARGV[i])
  on(dead, 'ZREM', ARGV[i])
  on(buried, 'ZADD', int(ms), ARGV[i])
end
local state = 1
if ARGV[2] == 'new' or on(leases, 'ZSCORE', holder) then
  on(leases, 'ZADD', till, holder)
elseif on(dead, 'ZSCORE', holder) or on(buried, 'ZSCORE', holder) then
  state = 2
else
  state = 0
end
local taken = {}
if most > 0 then
  for _, key in ipairs({leases, dead}) do
    local late = on(key, 'ZRANGEBYSCORE', '-inf', '(' .. int(ms), 'LIMIT', 0,
                    most)
    for _, one in ipairs(late) do
      redis.call('ZREM', leases, one)
      redis.call('ZADD', dead, back, one)
      taken[#taken + 1] = one
    end
  end
  on(buried, 'ZREMRANGEBYSCORE', '-inf', int(ms - 86400000))
end
if ARGV[8] ~= '' then
  on(nodes, 'HSET', ARGV[8], till .. ' ' .. ARGV[9])
end
local living, all = {}, on(nodes, 'HGETALL')
for i = 1, #all, 2 do
  local ends, info = string.match(all[i + 1], '^(%d+) (.*)$')
  if not ends or (most > 0 and tonumber(ends) < ms) then
    redis.call('HDEL', nodes, all[i])
  else
    living[#living + 1] = all[i]
    living[#living + 1] = info
  end
end
return {state, ms, on(leases, 'ZRANGE', 0, -1), taken,
        on(dead, 'ZRANGE', 0, -1), living}
)lua";

// KEYS: bucket, what the holder has in it, and of each member: its channel's
// hash, its channel, its stream
// ARGV: after those of the bucket 9 holder, 10 publishing (each leave of who
// was announced) or silent, and of each member: serial, topic
// Answer: how many there were, generation
inline constexpr Bytes kBury = R"lua(
local g, s = look(KEYS[1], ARGV[6], ARGV[7], ARGV[8])
local count = 0
for i = 3, #KEYS, 3 do
  local at = 11 + (i - 3) / 3 * 2
  local field = ARGV[9] .. '/' .. ARGV[at]
  local member = on(KEYS[i], 'HGET', field)
  redis.call('HDEL', KEYS[2], ARGV[at])
  if member then
    redis.call('HDEL', KEYS[i], field)
    count = count + 1
    local announced, a, b, c, d, from = string.match(
        member, '^1 (%d) (%d+) (%d+) (%d+) (%d+)\n()')
    if ARGV[10] == 'publishing' and announced == '1' then
      local function part(length)
        local text = string.sub(member, from, from + length - 1)
        from = from + length
        return text
      end
      local client, user, conn, chan = part(a), part(b), part(c), part(d)
      local who = '{"user":' .. cjson.encode(user) .. ',"client":' ..
          cjson.encode(client)
      if conn ~= '' then who = who .. ',"conn_info":' .. conn end
      if chan ~= '' then who = who .. ',"chan_info":' .. chan end
      local e, o = channel(KEYS[i + 1], KEYS[i + 2], g)
      redis.call(publish, ARGV[at + 1],
                 header(e, o, s, now(), 't', 'l', '') .. who .. '}')
    end
  end
end
return {count, said(g)}
)lua";

}  // namespace paperboy::broker::redis
