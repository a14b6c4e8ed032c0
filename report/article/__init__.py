"""From an article script to HTML pages. In reading order:

`cells` holds the types. `percent` and `comment_form` read the two forms of scripts, and `script`
chooses between them and runs the cells; `parameters` are values that a command gives to them.
`prose` is the Markdown of the pages, `components` is everything else that a cell can show, `fields`
checks what authors give to these, and `given` stores by its content what is no artifact yet.
`listening_tests` are the components that ask listeners, and `ratings` shows what these answered.
`spectrogram` draws sounds, and `sound_folder` makes a table of a folder of them. `claims` are
statements that have to hold, and `checks` looks at the sounds, links and pictures of a page.
`front_matter` is about authors and citation, `bibliography` about literature, and `images` about
pictures in files. `templates` loads templates/, `canvas` draws components with it, and `page` puts
prose and components together.
"""
