// The frontends of the admin listener; none of them is on a public port.
//
// Path:     AdminServer → [admin frontends] → HttpConnection
// Runs on:  the admin thread.
// Owned by: the admin thread's Gate. The view outlives them.
// Bounds:   debug_wait for an answer that the shards owe; inspection_top_max rows.
#pragma once

#include <chrono>
#include <memory>

#include "transports/admin/server_view.hpp"
#include "transports/frontend.hpp"

namespace parley::transports::admin {

// How long /debug waits for shards before it answers without them. It waits on the admin thread: a
// probe that comes meanwhile is late by that much, which is less than probes are given.
inline constexpr std::chrono::milliseconds debug_wait{300};

// `/metrics`.
[[nodiscard]] std::unique_ptr<Frontend> make_metrics_frontend(const ServerView& view);
// `/healthz/live`, `/healthz/ready`, and `/healthz`, which is the second.
[[nodiscard]] std::unique_ptr<Frontend> make_probes_frontend(const ServerView& view);
// `/debug/sessions`, `/debug/rooms`.
[[nodiscard]] std::unique_ptr<Frontend> make_debug_frontend(const ServerView& view);

// GET and HEAD are all that an admin path is asked with; the 405 for anything else.
[[nodiscard]] std::optional<HttpResponse> refuse_other_methods(const Exchange& exchange);
// 200 with a body that is not to be kept.
[[nodiscard]] HttpResponse fresh(std::string_view content_type, std::string body);

}  // namespace parley::transports::admin
