"""Who pays whom: fills, fees, payouts. The one place in the box where cash moves.

Invariant, to the microdollar: the balances of all accounts, the fee income and one dollar for every open pair
of a YES and a NO contract add up to what was paid in.
"""

from collections.abc import Iterable

import msgspec

from fairstrike.core.contract import Contract
from fairstrike.core.fees import FeeSchedule, fill_fee
from fairstrike.core.order import Side, collateral_ud
from fairstrike.core.units import TICKS_PER_DOLLAR
from fairstrike.exchange.accounts import Account, Settlement
from fairstrike.exchange.happenings import Filled
from fairstrike.exchange.matching import LiveOrder, Match


class Payout(msgspec.Struct, kw_only=True):
    """What an account was paid in a settled market, kept for a correction."""

    account: Account
    row: Settlement


class ClearingHouse:
    """The fee income and the open pairs of each market; accounts are handed in."""

    def __init__(self) -> None:
        """Start with no income and no open pair."""
        self.income_ud = 0
        self._open_cc: dict[str, int] = {}
        self._paid: dict[str, list[Payout]] = {}

    def open_cc(self, ticker: str) -> int:
        """Give the open interest: pairs of YES and NO contracts, in centicontracts."""
        return self._open_cc.get(ticker, 0)

    def book_fill(
        self, account: Account, order: LiveOrder, match: Match, schedule: FeeSchedule, stamp: tuple[int, str]
    ) -> Filled:
        """Book one account's half of `match`: position, cash, fee. `stamp` is (instant, trade id).

        The order is the taker unless it is the match's maker.
        """
        instant_ns, trade_id = stamp
        is_taker = order is not match.maker
        price_ticks, size_cc = match.price_ticks, match.size_cc
        holding = account.holding(order.ticker)
        long_before_cc = max(holding.net_cc, 0)
        cash_ud = holding.apply(order.side, price_ticks, size_cc)
        self._open_cc[order.ticker] = self.open_cc(order.ticker) + max(holding.net_cc, 0) - long_before_cc
        fee = fill_fee(
            schedule,
            price_ticks,
            size_cc,
            is_maker=not is_taker,
            is_bid=order.side is Side.BID,
            carry_ud=order.carry_ud,
        )
        order.carry_ud = fee.carry_ud
        account.purse(order.exchange_index).cash_ud += cash_ud - fee.fee_ud
        self.income_ud += fee.fee_ud
        holding.fees_ud += fee.fee_ud
        holding.updated_ns = instant_ns
        _note_on_order(order, match, fee.fee_ud, is_taker=is_taker)
        return Filled(
            instant_ns=instant_ns,
            account=account.account_id,
            trade_id=trade_id,
            order_id=order.order_id,
            client_order_id=order.client_order_id,
            ticker=order.ticker,
            side=order.side,
            price_ticks=price_ticks,
            size_cc=size_cc,
            fee_ud=fee.fee_ud,
            is_taker=is_taker,
            post_position_cc=holding.net_cc,
            subaccount=account.subaccount,
        )

    def pay_out(self, account: Account, contract: Contract, value_ticks: int, instant_ns: int) -> Settlement | None:
        """Pay an account for its position in a settled market and end it; None when it never traded there."""
        holding = account.holdings.pop(contract.ticker, None)
        if holding is None:
            return None
        yes_cc, no_cc = max(holding.net_cc, 0), max(-holding.net_cc, 0)
        revenue_ud = yes_cc * value_ticks + no_cc * (TICKS_PER_DOLLAR - value_ticks)
        account.purse(contract.exchange_index).cash_ud += revenue_ud
        self._open_cc[contract.ticker] = self.open_cc(contract.ticker) - yes_cc
        row = Settlement(
            instant_ns=instant_ns,
            ticker=contract.ticker,
            event_ticker=contract.event_ticker,
            exchange_index=contract.exchange_index,
            value_ticks=value_ticks,
            yes_cc=yes_cc,
            yes_cost_ud=holding.cost_ud if yes_cc else 0,
            no_cc=no_cc,
            no_cost_ud=holding.cost_ud if no_cc else 0,
            fees_ud=holding.fees_ud,
            revenue_ud=revenue_ud,
            realised_ud=holding.realised_ud + revenue_ud - holding.cost_ud,
            traded_cc=holding.traded_cc,
            traded_ud=holding.traded_ud,
            subaccount=account.subaccount,
        )
        self._paid.setdefault(contract.ticker, []).append(Payout(account=account, row=row))
        return row

    def pay_again(self, ticker: str, value_ticks: int) -> tuple[Account, ...]:
        """Pay a settled market's holders as if a YES contract were worth `value_ticks`, and take back what was paid.

        Gives the accounts; their settlements are replaced.
        """
        for payout in self._paid.get(ticker, ()):
            account, row = payout.account, payout.row
            revenue_ud = row.yes_cc * value_ticks + row.no_cc * (TICKS_PER_DOLLAR - value_ticks)
            change_ud = revenue_ud - row.revenue_ud
            account.purse(row.exchange_index).cash_ud += change_ud
            payout.row = msgspec.structs.replace(
                row, value_ticks=value_ticks, revenue_ud=revenue_ud, realised_ud=row.realised_ud + change_ud
            )
            if row in account.settlements:
                account.settlements[account.settlements.index(row)] = payout.row
        return tuple(payout.account for payout in self._paid.get(ticker, ()))

    def forget(self, ticker: str) -> None:
        """Forget who was paid in a settled market: it cannot be corrected any more."""
        self._paid.pop(ticker, None)
        assert not self._open_cc.pop(ticker, 0), "a settled market has no open pair"

    def total_ud(self, accounts: Iterable[Account]) -> int:
        """Give all money of `accounts`, the income and the open pairs; constant under any trading.

        The open pairs are counted from the positions, long and short apart, and must agree.
        """
        everyone = tuple(accounts)
        nets = [holding.net_cc for account in everyone for holding in account.holdings.values()]
        long_cc, short_cc = sum(max(net, 0) for net in nets), sum(max(-net, 0) for net in nets)
        assert long_cc == short_cc == sum(self._open_cc.values()), "every YES contract has its NO contract"
        cash_ud = sum(account.balance_ud for account in everyone)
        return cash_ud + self.income_ud + long_cc * TICKS_PER_DOLLAR


def _note_on_order(order: LiveOrder, match: Match, fee_ud: int, *, is_taker: bool) -> None:
    cost_ud = collateral_ud(order.side, match.price_ticks, match.size_cc)
    order.filled_cc += match.size_cc
    order.filled_value_ud += match.price_ticks * match.size_cc
    assert order.filled_cc <= order.initial_cc, "fills never exceed their order"
    if is_taker:
        order.taker_cost_ud += cost_ud
        order.taker_fees_ud += fee_ud
    else:
        order.maker_cost_ud += cost_ud
        order.maker_fees_ud += fee_ud
