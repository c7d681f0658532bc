#include "storage/files/upload_check.hpp"

#include <algorithm>
#include <array>
#include <new>

namespace parley::storage {

using core::FileProblem;
using core::FileRefusal;

UploadCheck::UploadCheck(std::span<const std::string> types, std::string_view declared)
    : types_(types), declared_(declared), hash_(EVP_MD_CTX_new()) {
    if (!hash_ || EVP_DigestInit_ex(hash_.get(), EVP_sha256(), nullptr) != 1) {
        throw std::bad_alloc();
    }
}

std::optional<FileProblem> UploadCheck::feed(std::string_view bytes) {
    EVP_DigestUpdate(hash_.get(), bytes.data(), bytes.size());
    size_ += bytes.size();
    text_.feed(bytes);
    if (judged_) return std::nullopt;
    first_.append(bytes.substr(0, protocol::sniff_bytes - first_.size()));
    if (first_.size() < protocol::sniff_bytes) return std::nullopt;
    return judge(protocol::sniff_media_type(first_));
}

std::optional<FileProblem> UploadCheck::finish() {
    if (size_ == 0) return FileProblem{FileRefusal::malformed, "the file is empty"};
    if (!judged_) {
        if (auto problem = judge(protocol::sniff_media_type(first_))) return problem;
    }
    // Text to its first bytes, and not to its end.
    if (type_ == "text/plain" && !text_.complete()) return judge({});
    return std::nullopt;
}

std::optional<FileProblem> UploadCheck::judge(std::string_view sniffed) {
    judged_ = true;
    const protocol::MediaVerdict verdict = protocol::judge_media_type(declared_, sniffed);
    type_ = verdict.type;
    if (verdict.contradicts) {
        std::string text = "the file is said to be ";
        text.append(declared_).append(" and its bytes are those of ");
        text.append(sniffed.empty() ? protocol::octet_stream : sniffed);
        return FileProblem{FileRefusal::content, std::move(text)};
    }
    const bool taken = std::ranges::any_of(types_, [this](const std::string& pattern) {
        return protocol::media_matches(pattern, type_);
    });
    if (taken) return std::nullopt;
    std::string text = "files of the type ";
    text.append(type_).append(" are not taken here; taken are");
    for (const std::string& pattern : types_) text.append(" ").append(pattern);
    return FileProblem{FileRefusal::type, std::move(text)};
}

std::string UploadCheck::sha256() {
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned length = 0;
    EVP_DigestFinal_ex(hash_.get(), bytes.data(), &length);
    std::string out;
    for (unsigned i = 0; i < length; ++i) {
        out.push_back(digits[bytes[i] >> 4U]);
        out.push_back(digits[bytes[i] & 0x0FU]);
    }
    return out;
}

}  // namespace parley::storage
