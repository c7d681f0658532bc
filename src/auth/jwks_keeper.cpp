#include "auth/jwks_keeper.hpp"

#include <algorithm>
#include <exception>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <utility>

#include "auth/jwks_fetch.hpp"
#include "core/clock.hpp"

namespace parley::auth {
namespace {

constexpr std::chrono::seconds fetch_timeout{10};

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot be opened");
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (text.size() > jwks_bytes_max) throw std::runtime_error("larger than a key set may be");
    return text;
}

}  // namespace

JwtKeys load_jwks(const JwtConfig& config, const std::atomic<bool>& stopping) {
    const auto url = parse_http_url(config.jwks);
    return read_jwks(url ? fetch(*url, config.jwks_ca, fetch_timeout, stopping)
                         : read_file(config.jwks));
}

JwksKeeper::JwksKeeper(std::chrono::milliseconds every, Load load, Take take, Complain complain,
                       std::chrono::milliseconds again)
    : every_(every),
      again_(std::min(every, again)),
      load_(std::move(load)),
      take_(std::move(take)),
      complain_(std::move(complain)),
      thread_([this] { run(); }) {}

bool JwksKeeper::want() noexcept {
    const std::scoped_lock lock(mutex_);
    if (wanted_) return true;
    if (core::monotonic_now() - last_ < refresh_min) return false;
    wanted_ = true;
    news_.notify_all();
    return true;
}

void JwksKeeper::stop() noexcept {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    news_.notify_all();
    if (thread_.joinable()) thread_.join();
}

bool JwksKeeper::read_once() noexcept {
    try {
        take_(load_(stopping_));
        loads_.fetch_add(1, std::memory_order_relaxed);
        return true;
    } catch (const std::exception& failure) {
        if (stopping_) return false;
        failures_.fetch_add(1, std::memory_order_relaxed);
        complain_(failure.what());
        return false;
    }
}

void JwksKeeper::run() noexcept {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        lock.unlock();
        const bool read = read_once();
        lock.lock();
        last_ = core::monotonic_now();
        wanted_ = false;
        news_.wait_for(lock, read ? every_ : again_, [this] { return stopping_ || wanted_; });
    }
}

}  // namespace parley::auth
