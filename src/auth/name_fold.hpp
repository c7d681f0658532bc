// name_fold: what names are compared by, so that nobody goes by what reads as somebody else's.
//
// Path:     NameBook, AccountStore, LocalAccounts → [name_fold] → ICU
// Runs on:  any thread; pure functions. Names of ASCII take a table, others some microseconds.
// Owned by: nobody.
// Bounds:   a name comes bounded by limits.name_bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace parley::auth {

// Two names are the same where their keys are: in whatever case, width, and way of composing letters
// (Unicode's NFKC_Casefold), without what is not seen; blanks of any kind are one, and none at the
// ends. What is no UTF-8 stands for U+FFFD.
[[nodiscard]] std::string name_key(std::string_view name);
// What a key looks like (UTS 39, 4: its skeleton): the same for letters of other scripts that look
// alike, and for some of ASCII.
[[nodiscard]] std::string name_look(std::string_view key);
[[nodiscard]] bool is_ascii(std::string_view text) noexcept;

// Why no account may have that name, which core::refuse_name() has passed: characters that Unicode
// has not given out, or that turn the direction of what follows; nothing that is seen.
[[nodiscard]] std::optional<std::string> refuse_account_name(std::string_view name);

}  // namespace parley::auth
