// Executor: the one type by which everything here names the thread that it runs on.
//
// Path:     io_context of a shard → [Executor] → streams, timers, coroutines
// Runs on:  any thread; types and constants.
// Owned by: nobody.
// Bounds:   none.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace parley::transports {

// The context's own executor and not any_io_executor: 8 bytes where that takes 48, in every socket
// and in every operation that waits.
using Executor = boost::asio::io_context::executor_type;

template <typename T>
using Awaitable = boost::asio::awaitable<T, Executor>;

// The completion token of every coroutine here: errors come as values.
inline constexpr boost::asio::as_tuple_t<boost::asio::use_awaitable_t<Executor>> await_tuple{};

}  // namespace parley::transports
