# The benchmarks' programs; bench/run builds what it needs of them by itself.
# Included by the CMakeLists.txt above. They share no code with what they measure.
set(bench_all EXCLUDE_FROM_ALL)
if(PAPERBOY_TESTS)
  set(bench_all)
endif()

file(GLOB sources CONFIGURE_DEPENDS bench/load/*.cpp)
list(FILTER sources EXCLUDE REGEX "/(main|floor|server|tokens|[a-z_]+_test)\\.cpp$")
add_library(load_client STATIC ${bench_all} ${sources})
target_include_directories(load_client PUBLIC bench/load)
find_package(Threads REQUIRED)
target_link_libraries(load_client PUBLIC PkgConfig::OPENSSL PkgConfig::ZLIB
                      Threads::Threads)

add_executable(load ${bench_all} bench/load/main.cpp)
target_link_libraries(load PRIVATE load_client)
foreach(program floor server tokens)
  add_executable(load_${program} ${bench_all} bench/load/${program}.cpp)
  target_link_libraries(load_${program} PRIVATE load_client)
endforeach()

if(PAPERBOY_TESTS)
  file(GLOB tests CONFIGURE_DEPENDS bench/load/*_test.cpp)
  foreach(source ${tests})
    get_filename_component(stem ${source} NAME_WE)
    add_executable(unit_load_${stem} ${source})
    target_include_directories(unit_load_${stem} PRIVATE t/unit)
    target_compile_options(unit_load_${stem} PRIVATE -O1 -g1)
    target_link_libraries(unit_load_${stem} PRIVATE load_client
                          PkgConfig::CMOCKA)
    add_test(NAME load/${stem} COMMAND unit_load_${stem})
  endforeach()
endif()

if(TARGET paperboy_broker)
  add_executable(shm_bench ${bench_all} bench/shm_bench.cpp)
  target_link_libraries(shm_bench PRIVATE paperboy_broker)
endif()
