// Folder: a folder of a test's own, gone with it.
#pragma once

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace parley::test {

class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "parley-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
        path_ = name;
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    [[nodiscard]] const std::string& path() const noexcept { return path_; }
    [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
    // Files in it and in folders below, by their names relative to it, sorted.
    [[nodiscard]] std::vector<std::string> files() const {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
            if (!entry.is_regular_file()) continue;
            names.push_back(std::filesystem::relative(entry.path(), path_).string());
        }
        std::sort(names.begin(), names.end());
        return names;
    }
    // The file's path, with that in it; folders on the way to it are made.
    std::string write(const std::string& name, std::string_view content) const {
        const std::string target = file(name);
        std::filesystem::create_directories(std::filesystem::path(target).parent_path());
        std::ofstream(target, std::ios::binary) << content;
        return target;
    }
    [[nodiscard]] std::string read(const std::string& name) const {
        std::ifstream content(file(name), std::ios::binary);
        return {std::istreambuf_iterator<char>(content), {}};
    }

private:
    std::string path_;
};

}  // namespace parley::test
