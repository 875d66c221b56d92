#include "hub/withdrawal.hpp"

#include "base/token_record.hpp"
#include "hub/order.hpp"
#include "hub/revoker.hpp"
#include "hub/tokens.hpp"

namespace paperboy::hub {

bool is_withdrawal(const Draft& draft) {
  if (draft.channel == kRevocations || draft.channel == kOrders) return true;
  if (draft.channel != kTokens) return false;
  const auto record = decode_token_record(draft.data);
  return record && record->kind == TokenRecord::Kind::end;
}

}  // namespace paperboy::hub
