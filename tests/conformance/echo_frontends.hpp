// The echo application: what the conformance suites speak to, over the transports of the server.
#pragma once

#include <array>

#include "transports/frontend.hpp"

namespace parley::conformance {

// `/` and `/wsecho`: every message comes back with the same opcode.
[[nodiscard]] std::unique_ptr<transports::Frontend> make_echo_frontend(transports::Gate& gate);
// `/hello`: every body comes back with the same Content-Type, whatever the method.
[[nodiscard]] std::unique_ptr<transports::Frontend> make_hello_frontend(transports::Gate& gate);

inline constexpr std::array echo_frontends{
    transports::FrontendEntry{"hello", &make_hello_frontend},
    transports::FrontendEntry{"echo", &make_echo_frontend},
};

}  // namespace parley::conformance
