// OriginPolicy: which pages may open a connection here (RFC 6454; RFC 6455, 10.2).
//
// Path:     Frontend → [OriginPolicy]
// Runs on:  any thread; a constant value.
// Owned by: a frontend.
// Bounds:   the operator's list.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace parley::transports {

class OriginPolicy {
public:
    // Each entry is "*", an origin ("https://chat.example.org:8443"), or one whose host begins with
    // "*." and stands for every host below that domain. An entry that is none matches nothing;
    // is_origin_pattern() tells.
    explicit OriginPolicy(const std::vector<std::string>& allowed);

    // `origin` is the Origin header, empty where there is none; `host` the Host header. What sends
    // no Origin is no page; a page of the same host and port always may.
    [[nodiscard]] bool allows(std::string_view origin, std::string_view host) const;
    // True for an origin that the list itself means, and not by "*".
    [[nodiscard]] bool lists(std::string_view origin) const;
    // The same without "*": true for a page that the list means, or of the same host and port.
    [[nodiscard]] bool names(std::string_view origin, std::string_view host) const;

private:
    struct Pattern {
        std::string scheme;
        std::string host;  // without the "*." of a wildcard, whose dot stays
        bool below;        // any host that ends with it
        unsigned port;
    };

    std::vector<Pattern> patterns_;
    bool all_ = false;
};

[[nodiscard]] bool is_origin_pattern(std::string_view text);

}  // namespace parley::transports
