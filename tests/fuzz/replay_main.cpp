// Runs a fuzz target without libFuzzer: each file of a corpus as it is, then mutations of it that
// are the same on every run. `x_fuzz FOLDER [MUTATIONS_A_FILE]`; FOLDER may be one file.
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t mutations_in_all = 2000;
constexpr std::size_t mutated_bytes_max = 4096;

// Which input is being run; told when the target aborts.
char running[512];

extern "C" void tell_input(int) {
    std::fputs(running, stderr);
    std::_Exit(1);
}

Bytes read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::size_t below(std::mt19937_64& random, std::size_t bound) {
    return bound == 0 ? 0 : static_cast<std::size_t>(random() % bound);
}

// A few small changes: bits, bytes at the borders, pieces moved out, doubled or taken from `other`.
Bytes mutate(Bytes bytes, const Bytes& other, std::mt19937_64& random) {
    constexpr std::uint8_t borders[] = {0x00, 0x01, 0x7D, 0x7E, 0x7F, 0x80, 0xFE, 0xFF};
    for (std::size_t change = 1 + below(random, 4); change > 0; --change) {
        const auto at = static_cast<std::ptrdiff_t>(below(random, bytes.size() + 1));
        const std::size_t behind = bytes.size() - static_cast<std::size_t>(at);
        const auto length = static_cast<std::ptrdiff_t>(std::min(behind, below(random, 16)));
        const Bytes piece(bytes.begin() + at, bytes.begin() + at + length);
        switch (below(random, 5)) {
            case 0:
                if (behind > 0)
                    bytes[static_cast<std::size_t>(at)] ^=
                        static_cast<std::uint8_t>(1U << below(random, 8));
                break;
            case 1:
                bytes.insert(bytes.begin() + at, borders[below(random, std::size(borders))]);
                break;
            case 2:
                bytes.erase(bytes.begin() + at, bytes.begin() + at + length);
                break;
            case 3:
                bytes.insert(bytes.begin() + at, piece.begin(), piece.end());
                break;
            case 4: {
                const auto from = static_cast<std::ptrdiff_t>(below(random, other.size() + 1));
                bytes.insert(bytes.begin() + at, other.begin() + from, other.end());
                break;
            }
        }
        if (bytes.size() > mutated_bytes_max) bytes.resize(mutated_bytes_max);
    }
    return bytes;
}

void run(const Bytes& bytes, const std::string& name, std::size_t mutation) {
    std::snprintf(running, sizeof running, "failed on %s, mutation %zu\n", name.c_str(), mutation);
    // A copy of exactly the size, so that a sanitizer sees a read past the end.
    const Bytes exact(bytes);
    LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s FOLDER [MUTATIONS_A_FILE]\n", argv[0]);
        return 2;
    }
    std::signal(SIGABRT, tell_input);
    std::vector<std::filesystem::path> paths;
    if (std::filesystem::is_directory(argv[1])) {
        for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
            paths.push_back(entry.path());
        }
    } else if (std::filesystem::exists(argv[1])) {
        paths.emplace_back(argv[1]);
    }
    // A folder lists its files in any order.
    std::sort(paths.begin(), paths.end());
    std::vector<Bytes> corpus{Bytes{}};
    for (const auto& path : paths) corpus.push_back(read_file(path));
    if (paths.empty()) {
        std::fprintf(stderr, "%s: expected a folder with at least one file\n", argv[1]);
        return 2;
    }

    const std::size_t each =
        argc > 2 ? std::strtoul(argv[2], nullptr, 10) : mutations_in_all / corpus.size();
    for (std::size_t file = 0; file < corpus.size(); ++file) {
        const std::string name = file == 0 ? "nothing" : paths[file - 1].string();
        run(corpus[file], name, 0);
        std::mt19937_64 random(file);
        for (std::size_t mutation = 1; mutation <= each; ++mutation) {
            const Bytes& other = corpus[below(random, corpus.size())];
            run(mutate(corpus[file], other, random), name, mutation);
        }
    }
    std::printf("%zu files, %zu mutations of each\n", paths.size(), each);
    return 0;
}
