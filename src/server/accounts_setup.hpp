// accounts_setup: accounts and tokens as the configuration has them, and how they are watched.
//
// Path:     Server, parleyd token → [accounts_setup] → LocalAccounts
// Runs on:  the main thread; the metrics are read on the admin thread.
// Owned by: nobody; plain functions.
// Bounds:   none of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "auth/jwt_verifier.hpp"
#include "auth/local_accounts.hpp"
#include "server/server_config.hpp"
#include "storage/file_lock.hpp"
#include "transports/admin/server_view.hpp"

namespace parley::server {

// That no other server has the file of accounts: it would not hear of what this one revokes. Null
// without one. Throws std::runtime_error that names the setting.
[[nodiscard]] std::unique_ptr<storage::FileLock> lock_accounts(const ServerConfig& config);

// Null where neither a store nor a key is configured. Throws std::runtime_error that names the
// setting.
[[nodiscard]] std::unique_ptr<auth::LocalAccounts> make_accounts(const ServerConfig& config);

// What there is to know of them; they outlive the admin thread.
[[nodiscard]] std::vector<transports::admin::MetricSource> accounts_metrics(
    const auth::LocalAccounts& accounts);

// An HS256 token by jwt.secret_file. Throws std::runtime_error.
[[nodiscard]] std::string make_test_token(const ServerConfig& config, const auth::JwtOrder& order);

}  // namespace parley::server
