"""What generate.py draws from: England's upper-tier authorities, and names of several origins."""

# Number of the Department for Education, which stands for the ODS code; relative size (largest 20, smallest 1); name.
# Names and numbers are public, sizes are a rough guess from the number of children who live there.
# The first two are those of the other examples of this repository, so that a small world has them.
AUTHORITIES = [line.split(" ", 2) for line in """\
383 15 Leeds City Council
846 4 Brighton and Hove City Council
886 20 Kent County Council
420 1 Council of the Isles of Scilly
330 20 Birmingham City Council
857 1 Rutland County Council
888 18 Lancashire County Council
201 1 City of London Corporation
881 18 Essex County Council
805 3 Hartlepool Borough Council
850 17 Hampshire County Council
852 5 Southampton City Council
352 11 Manchester City Council
306 7 London Borough of Croydon
926 10 Norfolk County Council
921 2 Isle of Wight Council
861 7 Stoke-on-Trent City Council
318 2 London Borough of Richmond upon Thames
815 6 North Yorkshire Council
840 9 Durham County Council
919 14 Hertfordshire County Council
202 3 London Borough of Camden
203 5 Royal Borough of Greenwich
204 5 London Borough of Hackney
205 3 London Borough of Hammersmith and Fulham
206 4 London Borough of Islington
207 2 Royal Borough of Kensington and Chelsea
208 5 London Borough of Lambeth
209 5 London Borough of Lewisham
210 5 London Borough of Southwark
211 5 London Borough of Tower Hamlets
212 4 London Borough of Wandsworth
213 3 Westminster City Council
301 5 London Borough of Barking and Dagenham
302 5 London Borough of Barnet
303 4 London Borough of Bexley
304 5 London Borough of Brent
305 5 London Borough of Bromley
307 5 London Borough of Ealing
308 6 London Borough of Enfield
309 5 London Borough of Haringey
310 3 London Borough of Harrow
311 4 London Borough of Havering
312 5 London Borough of Hillingdon
313 4 London Borough of Hounslow
314 2 Royal Borough of Kingston upon Thames
315 3 London Borough of Merton
316 6 London Borough of Newham
317 4 London Borough of Redbridge
319 3 London Borough of Sutton
320 5 London Borough of Waltham Forest
331 7 Coventry City Council
332 6 Dudley Metropolitan Borough Council
333 7 Sandwell Metropolitan Borough Council
334 4 Solihull Metropolitan Borough Council
335 6 Walsall Council
336 6 City of Wolverhampton Council
340 4 Knowsley Metropolitan Borough Council
341 11 Liverpool City Council
342 4 St Helens Borough Council
343 5 Sefton Council
344 7 Wirral Council
350 6 Bolton Council
351 4 Bury Council
353 6 Oldham Council
354 5 Rochdale Borough Council
355 6 Salford City Council
356 5 Stockport Metropolitan Borough Council
357 6 Tameside Metropolitan Borough Council
358 4 Trafford Council
359 6 Wigan Council
370 5 Barnsley Metropolitan Borough Council
371 6 City of Doncaster Council
372 6 Rotherham Metropolitan Borough Council
373 8 Sheffield City Council
380 13 City of Bradford Metropolitan District Council
381 4 Calderdale Council
382 8 Kirklees Council
384 7 Wakefield Council
390 5 Gateshead Council
391 6 Newcastle City Council
392 4 North Tyneside Council
393 4 South Tyneside Council
394 6 Sunderland City Council
800 3 Bath and North East Somerset Council
801 8 Bristol City Council
802 3 North Somerset Council
803 3 South Gloucestershire Council
806 5 Middlesbrough Council
807 4 Redcar and Cleveland Borough Council
808 5 Stockton-on-Tees Borough Council
810 8 Hull City Council
811 4 East Riding of Yorkshire Council
812 5 North East Lincolnshire Council
813 3 North Lincolnshire Council
816 3 City of York Council
821 5 Luton Borough Council
822 4 Bedford Borough Council
823 4 Central Bedfordshire Council
825 6 Buckinghamshire Council
826 5 Milton Keynes City Council
830 10 Derbyshire County Council
831 6 Derby City Council
838 4 Dorset Council
839 6 Bournemouth, Christchurch and Poole Council
841 3 Darlington Borough Council
845 8 East Sussex County Council
851 5 Portsmouth City Council
855 8 Leicestershire County Council
856 7 Leicester City Council
860 11 Staffordshire County Council
865 5 Wiltshire Council
866 4 Swindon Borough Council
867 2 Bracknell Forest Council
868 2 Royal Borough of Windsor and Maidenhead
869 2 West Berkshire Council
870 4 Reading Borough Council
871 4 Slough Borough Council
872 2 Wokingham Borough Council
873 8 Cambridgeshire County Council
874 5 Peterborough City Council
876 3 Halton Borough Council
877 4 Warrington Borough Council
878 9 Devon County Council
879 5 Plymouth City Council
880 4 Torbay Council
882 4 Southend-on-Sea City Council
883 4 Thurrock Council
884 4 Herefordshire Council
885 8 Worcestershire County Council
887 6 Medway Council
889 4 Blackburn with Darwen Borough Council
890 5 Blackpool Council
891 10 Nottinghamshire County Council
892 8 Nottingham City Council
893 5 Shropshire Council
894 4 Telford and Wrekin Council
895 5 Cheshire East Council
896 5 Cheshire West and Chester Council
908 7 Cornwall Council
916 8 Gloucestershire County Council
925 8 Lincolnshire County Council
929 5 Northumberland County Council
931 8 Oxfordshire County Council
933 6 Somerset Council
935 8 Suffolk County Council
936 12 Surrey County Council
937 8 Warwickshire County Council
938 9 West Sussex County Council
940 6 North Northamptonshire Council
941 7 West Northamptonshire Council
942 4 Cumberland Council
943 2 Westmorland and Furness Council
""".splitlines()]

# Ofcom's numbers for drama, a thousand in each area: area, the rest up to the last three digits.
TELEPHONES = {
    "Leeds": "0113 496 0", "Sheffield": "0114 496 0", "Nottingham": "0115 496 0", "Leicester": "0116 496 0",
    "Bristol": "0117 496 0", "Reading": "0118 496 0", "Birmingham": "0121 496 0", "Liverpool": "0151 496 0",
    "Manchester": "0161 496 0", "London": "020 7946 0", "Newcastle": "0191 498 0", "Sunderland": "0191 498 0",
    "Gateshead": "0191 498 0", "Tyneside": "0191 498 0", "": "01632 960",
}

# Origin: share in 100, family names, girls' names, boys' names. "_" stands for a space inside a name.
ORIGINS = [
    (66, """Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White Roberts
     Green Hall Wood Jackson Clarke Clark Harris Lewis Turner Cooper Hill Ward Morris Moore Baker King Harrison Allen
     Watson Lee Martin Cook Bell Bailey Parker Shaw Bennett Young Richardson Cox Marshall Simpson Carter Webb Palmer
     Mills Barker Holmes Knight Booth Barnes Fletcher Pearson Holroyd Ackroyd Bottomley Sutcliffe Greenwood Tregenza
     Trelawney Fairweather Longbottom Featherstone Smith-Jones Taylor-Brown Hughes-Clarke Ward-Hill D'Arcy St_John""",
     """Olivia Amelia Isla Ava Ivy Freya Lily Florence Mia Willow Rosie Sophie Isabella Grace Daisy Sienna Poppy Elsie
     Emily Ella Evelyn Phoebe Charlotte Harper Millie Matilda Maisie Emma Chloë Zoë Ruby Alice Jessica Georgia Lucy
     Molly Jasmine Lacey Tilly Summer Ellie-Mae Lily-Rose Amelia-Rose Mary_Jane Kayleigh Courtney Shannon Anne-Marie""",
     """Oliver George Noah Arthur Harry Leo Jack Charlie Oscar Jacob Henry Thomas Freddie Alfie Theo William Archie
     Joshua Alexander James Isaac Edward Lucas Tommy Finley Max Logan Ethan Mason Harrison Reuben Riley Jayden Tyler
     Callum Connor Bradley Kyle Liam Ryan Jake Ben Samuel Daniel Alfie-Jay Tommy-Lee John_Paul Kai Zak Jenson"""),
    (8, """O'Neill O'Brien O'Connor O'Sullivan Murphy Kelly Walsh Byrne Ryan Doyle Gallagher MacDonald McKenzie McLean
     Campbell Stewart Fraser Llewellyn Griffiths Owen Pritchard ap_Rhys Ó_Súilleabháin Ní_Bhriain""",
     """Siobhán Niamh Aoife Saoirse Caitlín Róisín Ciara Eilidh Isla Skye Morag Ffion Seren Carys Nia Angharad""",
     """Seán Ciarán Pádraig Oisín Conor Eoin Tadhg Rory Hamish Callum Lachlan Ewan Rhys Dylan Iwan Geraint"""),
    (12, """Khan Hussain Ahmed Ali Begum Akhtar Mahmood Iqbal Malik Patel Singh Kaur Sharma Shah Chowdhury Rahman
     Miah Uddin Bibi Choudhury Gill Dhillon Sandhu Fernando Perera Ur-Rehman""",
     """Aisha Fatima Maryam Zara Zainab Amina Inaya Hafsa Priya Anjali Simran Jasleen Harpreet Nadia Sana Umm_Kulthum""",
     """Muhammad Mohammed Yusuf Ibrahim Hamza Bilal Ayaan Zayn Arjun Rohan Harjit Gurdeep Imran Adam Ismail Abdul_Rahman"""),
    (6, """Nowak Kowalski Wiśniewska Wójcik Kamińska Zieliński Szymański Dąbrowska Popescu Ionescu Munteanu Ștefănescu
     Petrov Dimitrova Horváth Novák Dvořáková Kazlauskas Bērziņš Shevchenko""",
     """Zofia Julia Hanna Maja Łucja Małgorzata Elżbieta Ioana Andreea Ana-Maria Daria Eliška Zsófia Olena Agnė""",
     """Łukasz Jakub Szymon Filip Michał Paweł Andrei Ștefan Mihai Matei Tomáš Jiří László Oleksandr Dominykas"""),
    (4, """Okafor Adeyemi Okonkwo Mensah Boateng Osei Abdi Mohamud Warsame Tesfaye Nkosi Mutasa Kamau Ndiaye Traoré""",
     """Chiamaka Adaeze Folasade Abena Akosua Hodan Sagal Selam Thandiwe Rudo Wanjiru Aïssatou Blessing Precious""",
     """Chukwuemeka Oluwaseun Kwame Kofi Yaw Abdirahman Mohamed Dawit Sipho Tendai Kamau Mamadou Emmanuel Prince"""),
    (2, """de_Souza dos_Santos da_Silva Ferreira García Fernández Muñoz Rodríguez Pérez Núñez de_la_Cruz Conceição""",
     """Beatriz Inês Conceição Lucía Sofía María_José Ana Valentina Xiomara""",
     """João Tomás Gonçalo José Ángel Matías Andrés Thiago Joaquín"""),
    (2, """Yılmaz Şahin Çelik Öztürk Al-Hassan Al_Rashid Haddad Karimi Hosseini van_der_Berg Müller Sørensen Lefèvre""",
     """Elif Zeynep Ayşe Defne Layla Noor Yasmin Shirin Anneke Frøya Hélène""",
     """Emre Çağlar Mustafa Ömer Karim Tariq Reza Farhad Jürgen Bjørn René"""),
]
# One in 500: text that has to be quoted in a CSV file, as some register once wrote it.
QUOTED_FAMILY = ["Fitzgerald, Jr", "Ferreira, Neto", 'Smith "Smythe"', "Mountbatten, of York"]
QUOTED_GIVEN = ['Elizabeth "Betty"', 'William "Billy"', "Ann, Marie", 'Alex "Lex, the"']

# Age in completed years: from, to (exclusive), share. See README.md for the sources.
AGES = {
    "CPP": [(0, 1, 11), (1, 5, 25), (5, 10, 28), (10, 16, 32), (16, 18, 4)],
    "LAC": [(0, 1, 5), (1, 5, 14), (5, 10, 18), (10, 16, 38), (16, 18, 25)],
    "UCPP": [(14, 16, 1), (16, 18, 6), (18, 25, 38), (25, 35, 41), (35, 45, 14)],
}
# What a good plan is, in 1,000: type, how it stands.
CASES = [
    (180, "CPP", "open"), (282, "CPP", "ended"), (330, "LAC", "open"), (150, "LAC", "ended"),
    (25, "UCPP", "open"), (27, "UCPP", "ended"), (4, "CPP", "future"), (2, "LAC", "future"),
]
# Planted errors: share, name, code, field.
ERRORS = [
    (150, "no_match", "CPR01", "nhs_number"),
    (40, "sensitive", "CPR02", "nhs_number"),
    (200, "family_name_differs", "CPR03", "nhs_number"),
    (110, "given_names_differ", "CPR03", "nhs_number"),
    (150, "birth_date_differs", "CPR03", "nhs_number"),
    (60, "check_digit", "CPR04", "nhs_number"),
    (20, "old_style_number", "CPR04", "nhs_number"),
    (70, "superseded", "CPR05", "nhs_number"),
    (20, "invalid", "CPR05", "nhs_number"),
    (20, "start_after_end", "CPR07", "end_date"),
    (20, "unknown_type", "CPR07", "plan_type"),
    (30, "ended_over_365_days_ago", "CPR07", "end_date"),
    (30, "duplicate_row", "CPR07", "nhs_number"),
    (15, "unborn_on_male", "CPR07", "plan_type"),
    (10, "unborn_mother_age", "CPR07", "birth_date"),
    (25, "adult_without_end", "CPR07", "end_date"),
    (10, "birth_in_future", "CPR07", "birth_date"),
    (10, "start_before_birth", "CPR07", "start_date"),
    (5, "start_far_ahead", "CPR07", "start_date"),
    (5, "not_a_date", "CPR07", "start_date"),
]
# What happens in a day to plans that are held, in 1,000,000.
CHANGES = [(1150, "new"), (1000, "ended"), (800, "changed"), (120, "withdrawn"), (300, "vanished"),
           (30, "now_sensitive"), (60, "now_superseded"), (20, "now_invalid"), (400, "error_put_right")]
