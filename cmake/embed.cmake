# Writes a C++ file that holds files as bytes:
#   cmake -DOUTPUT=x.cpp -DROOT=web -DFUNCTION=embedded_files [-DGLOB=*.json] -P embed.cmake
# Every regular file below ROOT becomes one EmbeddedFile of FUNCTION(), in the order of their names.
if(NOT GLOB)
    set(GLOB *)
endif()
file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/${GLOB})
list(SORT files)
set(arrays "")
set(rows "")
set(index 0)
foreach(file IN LISTS files)
    file(READ ${ROOT}/${file} bytes HEX)
    file(SHA256 ${ROOT}/${file} digest)
    string(SUBSTRING ${digest} 0 16 digest)
    string(LENGTH "${bytes}" length)
    math(EXPR length "${length} / 2")
    # Twenty bytes a line; a last zero, so that an empty file is an array too.
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    string(REGEX REPLACE "((0x..,){20})" "\\1\n    " bytes "${bytes}")
    string(APPEND arrays "constexpr unsigned char file_${index}[] = {\n    ${bytes}0};\n")
    string(APPEND rows
        "    EmbeddedFile{\"/${file}\", text_of(file_${index}, ${length}), \"\\\"${digest}\\\"\"},\n")
    math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUTPUT} "// Made by cmake/embed.cmake from ${index} files; changes are lost.
#include <array>

#include \"transports/static_files/embedded_files.hpp\"

namespace parley::transports {
namespace {

${arrays}
std::string_view text_of(const unsigned char* bytes, std::size_t length) noexcept {
    return {reinterpret_cast<const char*>(bytes), length};
}

}  // namespace

std::span<const EmbeddedFile> ${FUNCTION}() noexcept {
    static const std::array<EmbeddedFile, ${index}> files{{
${rows}    }};
    return files;
}

}  // namespace parley::transports
")
