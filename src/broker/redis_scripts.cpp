// The bucket (a hash) that every script looks at first:
//
//   g  generation, NUMBER-RANDOM: a channel whose own differs begins a new
//      epoch. The next one's number is higher, so that an old one that comes
//      back is known
//   r  replication id of the server on which it was written last
//   h  the 16 before it, the latest first, each with the sequence that it left
//      behind: "ID:SEQUENCE ..." (a server that starts may change its own
//      twice, and a node that is cut off may miss some starts)
//   s  the sequence: one more with each message of the bucket
//   t  up to here the list of changed channels has been cut
//
// and a channel (a hash):
//
//   e  epoch        o  offset of the last message
//   g  generation of the bucket under which it lives
//   z  bytes of data and extra in the stream
//   f  up to here what was kept has been removed
//
// An entry, in the stream and to the topic: see redis_entry.hpp.
#include "broker/redis_scripts.hpp"

#include <string>

#include "broker/redis_scripts_presence.hpp"

namespace paperboy::broker::redis {

namespace {

// Each script begins with this. KEYS[1] is a bucket. ARGV:
//
//   1  replication id of this server
//   2  a generation, 3 an epoch: fresh, at random, 16 hexadecimal digits
//   4  how long a channel that nobody publishes to is remembered, ms
//   5  PUBLISH or SPUBLISH
//   6  what the caller has seen of the bucket: its generation, or empty
//   7  the replication id under which, 8 and the sequence
//
// What was seen and isn't there any more was lost, by a replica that was
// promoted without it or a file that had it not: then no position of before
// may be used again, so all channels of the bucket begin anew. The generation
// is answered with what was found then, behind a space.
constexpr Bytes kPrelude = R"lua(
local rid, fresh_g, fresh_e, idle, publish =
    ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

-- A command on a key of ours. Where somebody else wrote to it, it isn't what was
-- kept, and is forgotten.
local function on(key, command, ...)
  local answer = redis.pcall(command, key, ...)
  if type(answer) ~= 'table' or not answer.err then return answer end
  if string.find(answer.err, '^WRONGTYPE') then redis.call('DEL', key) end
  return redis.call(command, key, ...)
end

local function number_of(g)
  return tonumber(string.match(g, '^(%d+)-') or 0)
end

local lost = ''

local function begin_anew(key, g, seen, there)
  if seen then
    lost = string.format(' %s, generation %s, was seen, and there is %s', seen,
                         g, there)
  end
  g = string.format('%d-%s', number_of(g) + 1, fresh_g)
  redis.call('HSET', key, 'g', g)
  return g
end

-- A generation as it is answered.
local function said(g) return g .. lost end

local function holds(all, seen_r, seen_s)
  for id, sequence in string.gmatch(all, '(%S+):(%d+)') do
    if id == seen_r then return tonumber(seen_s) <= tonumber(sequence) end
  end
  return false
end

local function look(key, seen_g, seen_r, seen_s)
  local b = on(key, 'HMGET', 'g', 'r', 'h', 's')
  local g, r, h, s = b[1], b[2], b[3] or '', tonumber(b[4] or 0)
  local seen = seen_g ~= '' and seen_r .. ':' .. seen_s
  lost = ''
  if not g or not r or not s then
    g, r, h, s = begin_anew(key, seen_g, seen, 'nothing'), rid, '', 0
    redis.call('HSET', key, 'r', r, 'h', h, 's', 0)
  elseif r ~= rid then
    -- It may be one of before: of a caller that hasn't heard of the next.
    h = string.gsub(h, rid .. ':%d+ ?', '')
    h = string.match(string.format('%s:%.0f %s', r, s, h),
                     '^%S+' .. string.rep(' ?%S*', 15))
    r = rid
    redis.call('HSET', key, 'r', r, 'h', h)
  end
  local all = string.format('%s:%.0f %s', r, s, h)
  if seen_g == g then
    if not holds(all, seen_r, seen_s) then g = begin_anew(key, g, seen, all) end
  elseif seen_g ~= '' and number_of(seen_g) >= number_of(g) then
    g = begin_anew(key, seen_g, seen, all .. ', generation ' .. g)
  end
  return g, s
end

-- Where the caller has had more of the channel, that was lost: as above.
local function weigh(key, g, meta, seen_e, seen_o)
  local m = on(meta, 'HMGET', 'e', 'o', 'g')
  if m[1] == seen_e and m[3] == g and
      (tonumber(m[2]) or 0) < tonumber(seen_o) then
    return begin_anew(key, g, seen_e .. ':' .. seen_o .. ' of a channel',
                      m[2] or 'nothing')
  end
  return g
end

local function channel(meta, stream, g)
  local m = on(meta, 'HMGET', 'e', 'o', 'g', 'z')
  local o = tonumber(m[2] or '')
  if o and m[3] == g and string.find(m[1] or '', '^%x+$') then
    return m[1], o, tonumber(m[4]) or 0
  end
  redis.call('DEL', stream, meta)
  redis.call('HSET', meta, 'e', fresh_e, 'o', 0, 'g', g, 'z', 0)
  redis.call('PEXPIRE', meta, math.min(idle, 86400000))
  return fresh_e, 0, 0
end

-- The channel is among those that changed last.
local function note_change(changed, s, name, bucket)
  on(changed, 'ZADD', s, name)
  local count = redis.call('ZCARD', changed)
  if count > 1200 then
    redis.call('ZREMRANGEBYRANK', changed, 0, count - 1001)
    local oldest = redis.call('ZRANGE', changed, 0, 0, 'WITHSCORES')
    redis.call('HSET', bucket, 't', string.format('%.0f', oldest[2] - 1))
  end
end

local function int(n) return string.format('%.0f', n) end

local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- Of an entry; who else writes to a stream may have written anything.
local function size_of(text)
  return #text - (string.find(text, '\n', 1, true) or 0)
end

local function made_at(text)
  return tonumber(string.match(text, '^%S+ %S+ %S+ %S+ %S+ (%d+)') or 0)
end

local function header(e, o, s, ms, kind, event, extra)
  return string.format('1 %s %.0f %.0f %s %.0f %s %s %d\n', e, o, s, rid, ms,
                       kind, event, #extra)
end
)lua";

// KEYS: bucket, its changed channels, channel, stream, idempotency key (if any)
// ARGV: 9 topic, 10 channel, 11 kind, 12 extra, 13 data; what the channel's
// rule keeps: 14 entries, 15 their bytes, 16 their age in ms (15, 16: 0 is no
// limit); what is kept anyway: 17, 18, 19 the same; 20 how long the key holds,
// ms; 21, 22 as of the position
// Answer: epoch, offset, generation, sequence, 1 if it was published before
constexpr Bytes kPublish = R"lua(
local g, s = look(KEYS[1], ARGV[6], ARGV[7], ARGV[8])
local meta, stream = KEYS[3], KEYS[4]
if ARGV[21] ~= '' then
  g = weigh(KEYS[1], g, meta, ARGV[21], ARGV[22])
end
local e, o, z = channel(meta, stream, g)
if KEYS[5] then
  local before = redis.call('GET', KEYS[5])
  if before and string.sub(before, 1, #e + 1) == e .. ':' then
    return {e, string.sub(before, #e + 2), said(g), int(s), 1}
  end
end
local extra, data = ARGV[12], ARGV[13]
local rule, window = {}, {}
for i = 1, 3 do
  rule[i], window[i] = tonumber(ARGV[13 + i]), tonumber(ARGV[16 + i])
end
local ms = now()
local size = #extra + #data
o = o + 1
s = redis.call('HINCRBY', KEYS[1], 's', 1)
local entry = header(e, o, s, ms, ARGV[11], 'm', extra) .. extra .. data
local added = redis.pcall('XADD', stream, int(o) .. '-0', 'd', entry)
if type(added) == 'table' and added.err then
  -- Somebody else wrote to it: it isn't what was kept.
  redis.call('DEL', stream)
  redis.call('XADD', stream, int(o) .. '-0', 'd', entry)
end
local length = redis.call('XLEN', stream)
z = length == 1 and size or z + size
local function within(limits, made)
  return length <= limits[1] and (limits[2] == 0 or z <= limits[2]) and
      (limits[3] == 0 or (made and made > ms - limits[3]))
end
local cut
for _ = 1, 64 do
  if length <= 1 or within(rule) or within(window) then break end
  local first = redis.call('XRANGE', stream, cut and '(' .. cut or '-', '+',
                           'COUNT', 1)[1]
  local text = first[2][2]
  local made = made_at(text)
  if within(rule, made) or within(window, made) then break end
  cut = first[1]
  length = length - 1
  z = z - size_of(text)
end
if cut then
  redis.call('XTRIM', stream, 'MINID',
             int(tonumber(string.match(cut, '^%d+')) + 1) .. '-0')
end
redis.call('HSET', meta, 'o', int(o), 'z',
           int(z))
redis.call('PEXPIRE', meta, idle)
if rule[1] > 0 and rule[3] == 0 then
  redis.call('PEXPIRE', stream, idle)
else
  redis.call('PEXPIRE', stream, int(math.max(rule[3], window[3])))
end
note_change(KEYS[2], s, ARGV[10], KEYS[1])
local offset = int(o)
if KEYS[5] then
  redis.call('SET', KEYS[5], e .. ':' .. offset, 'PX', ARGV[20])
end
redis.call(publish, ARGV[9], entry)
return {e, offset, said(g), int(s), 0}
)lua";

// KEYS: bucket, channel, stream
// ARGV: 9 topic, 10 kind, 11 event (p, j, l), 12 extra, 13 data
// Answer: epoch, offset, generation, sequence
constexpr Bytes kSignal = R"lua(
local g, s = look(KEYS[1], ARGV[6], ARGV[7], ARGV[8])
local e, o = channel(KEYS[2], KEYS[3], g)
redis.call(publish, ARGV[9],
           header(e, o, s, now(), ARGV[10], ARGV[11], ARGV[12]) .. ARGV[12]
               .. ARGV[13])
return {e, int(o), said(g), int(s)}
)lua";

// KEYS: bucket, and of each channel: channel, stream
// ARGV, of each channel from 9: the epoch (empty: none) and offset where the
// caller has it
// Answer: generation, sequence, and of each channel: epoch, offset, and up to
// which all was removed
constexpr Bytes kPosition = R"lua(
local g, s = look(KEYS[1], ARGV[6], ARGV[7], ARGV[8])
for i = 2, #KEYS, 2 do
  if ARGV[i + 7] ~= '' then
    g = weigh(KEYS[1], g, KEYS[i], ARGV[i + 7], ARGV[i + 8])
  end
end
local answer = {said(g), int(s)}
for i = 2, #KEYS, 2 do
  local e, o = channel(KEYS[i], KEYS[i + 1], g)
  answer[#answer + 1] = e
  answer[#answer + 1] = int(o)
  answer[#answer + 1] = redis.call('HGET', KEYS[i], 'f') or '0'
end
return answer
)lua";

// KEYS: bucket, channel, stream
// ARGV: 9 epoch of where to begin (empty: the present one), 10 offset (empty:
// at the end), 11 entries at most, 12 bytes of them at most (but one entry in
// any case), 13 r (backwards) or f, and what counts as kept: 14 the last so
// many, 15 so many bytes, 16 ms (0 is no limit)
// Answer: epoch, offset, generation, sequence, the time in ms, entries
constexpr Bytes kHistory = R"lua(
local g, s = look(KEYS[1], ARGV[6], ARGV[7], ARGV[8])
local stream = KEYS[3]
local e, o = channel(KEYS[2], stream, g)
local ms = now()
local answer = {e, int(o), said(g), int(s), int(ms)}
if ARGV[9] ~= '' and ARGV[9] ~= e then return answer end
local kind = redis.call('TYPE', stream).ok
if kind ~= 'stream' then
  -- Somebody else wrote to it: it isn't what was kept.
  if kind ~= 'none' then answer[6] = kind end
  return answer
end
local limit, room, back = tonumber(ARGV[11]), tonumber(ARGV[12]),
    ARGV[13] == 'r'
local most, bytes, age = tonumber(ARGV[14]), tonumber(ARGV[15]),
    tonumber(ARGV[16])
local function offset_of(id) return tonumber(string.match(id, '^%d+')) end
local least = most > 0 and math.max(o - most + 1, 1) or 1
if bytes > 0 then
  -- What lies before where it begins needn't be counted.
  local stop = not back and tonumber(ARGV[10]) or 0
  local sum, last = 0, '+'
  repeat
    local page = redis.call('XREVRANGE', stream, last, '-', 'COUNT', 100)
    for _, entry in ipairs(page) do
      sum = sum + size_of(entry[2][2])
      local offset = offset_of(entry[1])
      if sum > bytes then least = math.max(least, offset + 1) end
      if sum > bytes or offset <= stop then
        page = {}
        break
      end
      last = '(' .. entry[1]
    end
  until #page < 100
end
local from, to = least, '+'
if ARGV[10] ~= '' then
  if back then to = string.format('(%s-0', ARGV[10])
  else from = math.max(from, tonumber(ARGV[10]) + 1) end
end
from = int(from) .. '-0'
while limit > 0 do
  local count = math.min(limit, 100)
  local page
  if back then
    page = redis.call('XREVRANGE', stream, to, from, 'COUNT', count)
  else
    page = redis.call('XRANGE', stream, from, to, 'COUNT', count)
  end
  for _, entry in ipairs(page) do
    local text = entry[2][2]
    if age == 0 or made_at(text) > ms - age then
      room = room - size_of(text)
      if room < 0 and #answer > 5 then return answer end
      answer[#answer + 1] = text
    elseif back then
      return answer
    end
    if back then to = '(' .. entry[1] else from = '(' .. entry[1] end
  end
  limit = limit - #page
  if #page < count then break end
end
return answer
)lua";

// KEYS: bucket, its changed channels, channel, stream
// ARGV: 9 topic, 10 channel
// Answer: epoch, offset, generation, sequence
constexpr Bytes kRemove = R"lua(
local g, s = look(KEYS[1], ARGV[6], ARGV[7], ARGV[8])
local e, o = channel(KEYS[3], KEYS[4], g)
redis.call('DEL', KEYS[4])
redis.call('HSET', KEYS[3], 'z', 0, 'f', int(o))
s = redis.call('HINCRBY', KEYS[1], 's', 1)
note_change(KEYS[2], s, ARGV[10], KEYS[1])
redis.call(publish, ARGV[9], header(e, o, s, now(), 't', 'x', ''))
return {e, int(o), said(g), int(s)}
)lua";

// KEYS: of each bucket: bucket, its changed channels
// ARGV: 9 topic of the probe, 10 the probe (empty: none), 11 channels at most a
// bucket, and of each bucket: its generation (empty: not known) and sequence as
// known, and as 6 to 8, which don't count here, what was seen of it
// Answer: of each bucket nil, where it is as known, or an array: generation,
// sequence up to which this answer tells, what follows (some: the channels that
// changed since; more: and others; all: nobody knows which), and of each
// channel: its name, epoch, offset, and up to which all was removed
constexpr Bytes kCheck = R"lua(
local answer = {}
for i = 1, #KEYS, 2 do
  local at = 12 + (i - 1) / 2 * 5
  local known_g, known_s = ARGV[at], tonumber(ARGV[at + 1])
  local g, s = look(KEYS[i], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4])
  local one = false
  if g ~= known_g then
    one = {said(g), int(s), 'all'}
  elseif s ~= known_s then
    local cut = tonumber(redis.call('HGET', KEYS[i], 't') or 0)
    one = {g, int(s), 'some'}
    if known_s < cut or known_s > s then
      one[3] = 'all'
    else
      local most = tonumber(ARGV[11])
      local page = on(KEYS[i + 1], 'ZRANGEBYSCORE', '(' .. known_s, '+inf',
                      'WITHSCORES', 'LIMIT', 0, most)
      for j = 1, #page, 2 do
        local m = on(KEYS[i] .. ':m:' .. page[j], 'HMGET', 'e', 'o', 'g', 'f')
        if m[3] == g then
          one[#one + 1] = page[j]
          one[#one + 1] = m[1]
          one[#one + 1] = m[2]
          one[#one + 1] = m[4] or '0'
        end
        one[2] = page[j + 1]
      end
      if #page == 2 * most then one[3] = 'more' else one[2] = int(s) end
    end
  end
  answer[#answer + 1] = one
end
if ARGV[10] ~= '' then redis.call(publish, ARGV[9], ARGV[10]) end
return answer
)lua";

std::string whole(Script script) {
  static constexpr std::array<Bytes, kScripts> kBodies = {
      kPublish, kSignal, kPosition, kHistory, kRemove,
      kCheck,   kAttend, kLease,    kBury};
  std::string text(kPrelude);
  text += kBodies[static_cast<std::size_t>(script)];
  return text;
}

}  // namespace

Bytes source(Script script) {
  static const std::array<std::string, kScripts> texts = [] {
    std::array<std::string, kScripts> all;
    for (std::size_t i = 0; i < kScripts; ++i) {
      all[i] = whole(static_cast<Script>(i));
    }
    return all;
  }();
  return texts[static_cast<std::size_t>(script)];
}

}  // namespace paperboy::broker::redis
