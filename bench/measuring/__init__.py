"""Parts of the benches: what is measured, and the small consortium it is measured on."""
