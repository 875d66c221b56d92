# Read by nginx's ./configure after `config`: ties CMake's build to nginx's
# own `make`, `make modules` and `make install`.
case $NGX_MODULES_PATH in
    /*) paperboy_modules=$NGX_MODULES_PATH ;;
    *) paperboy_modules=$NGX_PREFIX/$NGX_MODULES_PATH ;;
esac

cat << END >> $NGX_MAKEFILE

modules:	ngx_http_paperboy_module

ngx_http_paperboy_module:
	cmake --build $paperboy_objs/paperboy

install:	install_paperboy

install_paperboy:	modules
	mkdir -p '\$(DESTDIR)$paperboy_modules'
	cp $paperboy_objs/ngx_http_paperboy_module.so \\
		'\$(DESTDIR)$paperboy_modules'

.PHONY:	ngx_http_paperboy_module install_paperboy

END
